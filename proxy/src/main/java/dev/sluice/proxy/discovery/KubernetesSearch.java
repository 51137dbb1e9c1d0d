package dev.sluice.proxy.discovery;

import dev.sluice.proxy.pool.Discovery.Kubernetes;
import dev.sluice.proxy.pool.Offer;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.List;
import java.util.function.Consumer;

/// Watches the EndpointSlices of a Service. While the API does not answer, the last known endpoints
/// are kept, and the watch is tried again with growing pauses.
///
/// Needs the rights to list and watch `endpointslices` in the namespace, and nothing else. Which
/// cluster and as whom: the pod's service account, or the kubeconfig, as for kubectl.
final class KubernetesSearch implements Search {
    private static final Logger log = LoggerFactory.getLogger(KubernetesSearch.class);
    private static final String SERVICE_LABEL = "kubernetes.io/service-name";

    private final Kubernetes from;
    private final Consumer<List<Offer>> found;
    private @Nullable KubernetesClient client;
    private @Nullable SharedIndexInformer<EndpointSlice> informer;
    private boolean closed;
    private int endpoints;
    private String problem = "";

    KubernetesSearch(Kubernetes from, Consumer<List<Offer>> found) {
        this.from = from;
        this.found = found;
        // The client takes its time to load, and the proxy is to be up before.
        Thread.ofVirtual().name("kubernetes-" + from.service()).start(this::begin);
    }

    private void begin() {
        KubernetesClient connected = new KubernetesClientBuilder().build();
        SharedIndexInformer<EndpointSlice> watching =
                connected
                        .discovery()
                        .v1()
                        .endpointSlices()
                        .inNamespace(from.namespace())
                        .withLabel(SERVICE_LABEL, from.service())
                        .runnableInformer(0);
        synchronized (this) {
            if (closed) {
                connected.close();
                return;
            }
            client = connected;
            informer = watching;
        }
        watching.exceptionHandler(
                (_, cause) -> {
                    failed(String.valueOf(cause.getMessage()));
                    return true;
                });
        watching.addEventHandler(new Changes());
        watching.start().thenRun(this::feed);
    }

    @Override
    public synchronized Standing standing() {
        SharedIndexInformer<EndpointSlice> watching = informer;
        if (watching == null || !watching.hasSynced()) {
            return new Standing("starting", endpoints, problem);
        }
        return watching.isWatching()
                ? new Standing("fresh", endpoints, "")
                : new Standing("stale", endpoints, problem);
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (client != null) {
            client.close();
        }
    }

    private synchronized void failed(String why) {
        if (!closed && !why.equals(problem)) {
            problem = why;
            log.warn("{}: {}; the last known {} endpoints are kept", from, why, endpoints);
        }
    }

    private synchronized void feed() {
        SharedIndexInformer<EndpointSlice> watching = informer;
        if (closed || watching == null || !watching.hasSynced()) {
            return;
        }
        List<Offer> offers = Slices.offers(watching.getStore().list(), from.port());
        endpoints = offers.size();
        problem = "";
        found.accept(offers);
    }

    /// Whatever changed, all of it is told.
    private final class Changes implements ResourceEventHandler<EndpointSlice> {
        @Override
        public void onAdd(EndpointSlice slice) {
            feed();
        }

        @Override
        public void onUpdate(EndpointSlice before, EndpointSlice after) {
            feed();
        }

        @Override
        public void onDelete(EndpointSlice slice, boolean unknown) {
            feed();
        }
    }
}
