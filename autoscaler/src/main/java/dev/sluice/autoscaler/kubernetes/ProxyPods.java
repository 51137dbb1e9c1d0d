package dev.sluice.autoscaler.kubernetes;

import static java.lang.Boolean.FALSE;
import static java.lang.Boolean.TRUE;

import dev.sluice.autoscaler.signal.ProxyAddresses;

import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointConditions;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClientException;

import java.io.IOException;
import java.net.URI;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// The proxies' pods behind a Service, from its EndpointSlices. One that terminates still relays
/// streams, so its load counts; one that is not ready yet has none.
public record ProxyPods(Cluster cluster, String service, int port) implements ProxyAddresses {

    @Override
    public List<URI> now() throws IOException {
        try {
            return addresses(cluster.slices(service), port);
        } catch (KubernetesClientException e) {
            throw new IOException("its EndpointSlices cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public String toString() {
        return "Service " + service;
    }

    /// A pod that stands in several slices counts once; IPv4 where there are both families.
    static List<URI> addresses(Collection<EndpointSlice> slices, int port) {
        Set<URI> out = new LinkedHashSet<>();
        boolean v4 =
                slices.stream().anyMatch(s -> family(s, "IPv4") && !s.getEndpoints().isEmpty());
        for (EndpointSlice slice : slices) {
            if (!family(slice, v4 ? "IPv4" : "IPv6")) {
                continue;
            }
            for (Endpoint each : slice.getEndpoints()) {
                if (counts(each.getConditions()) && !each.getAddresses().isEmpty()) {
                    String host = each.getAddresses().getFirst();
                    out.add(URI.create("http://" + (v4 ? host : "[" + host + "]") + ":" + port));
                }
            }
        }
        return List.copyOf(out);
    }

    private static boolean family(EndpointSlice slice, String family) {
        return family.equals(slice.getAddressType());
    }

    /// Unknown means ready, as the API says.
    private static boolean counts(EndpointConditions c) {
        return c == null
                || !FALSE.equals(c.getReady())
                || TRUE.equals(c.getServing())
                || TRUE.equals(c.getTerminating());
    }
}
