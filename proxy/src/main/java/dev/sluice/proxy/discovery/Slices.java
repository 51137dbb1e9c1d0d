package dev.sluice.proxy.discovery;

import static java.lang.Boolean.FALSE;
import static java.lang.Boolean.TRUE;

import dev.sluice.proxy.pool.EndpointConfig;
import dev.sluice.proxy.pool.EndpointUrl;
import dev.sluice.proxy.pool.Offer;

import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointConditions;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What the EndpointSlices of a Service offer. Pure.
///
/// A pod that is not ready, or that terminates and still serves, stays a member that finishes what
/// runs and takes nothing new; one that serves no longer is left out. A pod may stand in several
/// slices: twice while it moves from one to another, then the readier entry counts, and once for
/// each address family, then IPv4 counts, because a pod that is counted twice gets twice its share.
final class Slices {
    private Slices() {}

    /// @param port as configured: a name, a number, or empty for the first
    static List<Offer> offers(Collection<EndpointSlice> slices, String port) {
        var byAddress = new LinkedHashMap<String, Offer>();
        var familyOfPod = new HashMap<String, String>();
        slices.stream()
                .filter(s -> "IPv4".equals(s.getAddressType()) || "IPv6".equals(s.getAddressType()))
                .sorted(
                        Comparator.comparing(EndpointSlice::getAddressType)
                                .thenComparing(s -> s.getMetadata().getName()))
                .forEach(slice -> add(slice, port, byAddress, familyOfPod));
        return List.copyOf(byAddress.values());
    }

    private static void add(
            EndpointSlice slice,
            String wanted,
            Map<String, Offer> byAddress,
            Map<String, String> familyOfPod) {
        Integer port = port(slice.getPorts(), wanted);
        if (port == null) {
            return;
        }
        for (Endpoint endpoint : slice.getEndpoints()) {
            String pod = endpoint.getTargetRef() == null ? null : endpoint.getTargetRef().getUid();
            if (pod != null) {
                String family = familyOfPod.putIfAbsent(pod, slice.getAddressType());
                if (family != null && !family.equals(slice.getAddressType())) {
                    continue;
                }
            }
            Offer offer = offer(endpoint, port);
            if (offer != null) {
                byAddress.merge(
                        offer.endpoint().url().id(), offer, (a, b) -> a.withheld() == null ? a : b);
            }
        }
    }

    private static @Nullable Offer offer(Endpoint endpoint, int port) {
        EndpointConditions conditions = endpoint.getConditions();
        // Unknown means ready, as the API says.
        boolean ready = conditions == null || !FALSE.equals(conditions.getReady());
        boolean terminating = conditions != null && TRUE.equals(conditions.getTerminating());
        Boolean said = conditions == null ? null : conditions.getServing();
        boolean serving = said == null ? ready : said;
        if (endpoint.getAddresses().isEmpty() || (terminating && !serving)) {
            return null;
        }
        InetAddress address = InetAddress.ofLiteral(endpoint.getAddresses().getFirst());
        if (address.isLinkLocalAddress()) {
            return null;
        }
        var url = new EndpointUrl(false, address.getHostAddress(), port, "");
        return new Offer(new EndpointConfig(url, 1), withheld(ready, terminating));
    }

    private static @Nullable String withheld(boolean ready, boolean terminating) {
        if (terminating) {
            return "terminating in Kubernetes";
        }
        return ready ? null : "not ready in Kubernetes";
    }

    private static @Nullable Integer port(List<EndpointPort> ports, String wanted) {
        if (!wanted.isEmpty() && wanted.chars().allMatch(Character::isDigit)) {
            return Integer.valueOf(wanted);
        }
        var named = new ArrayList<EndpointPort>(ports);
        named.removeIf(p -> p.getPort() == null);
        return named.stream()
                .filter(p -> wanted.isEmpty() || wanted.equals(p.getName()))
                .map(EndpointPort::getPort)
                .findFirst()
                .orElse(null);
    }
}
