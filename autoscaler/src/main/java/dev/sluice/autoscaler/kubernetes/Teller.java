package dev.sluice.autoscaler.kubernetes;

import dev.sluice.autoscaler.signal.Condition;
import dev.sluice.shared.ScalingStatus;

import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Tells at one resource what its scaler does: status, and an Event for each decision and each new
/// condition. Writes only what has changed. One thread.
public final class Teller {
    private static final Logger log = LoggerFactory.getLogger(Teller.class);

    private final Cluster cluster;
    private final String name;
    private final long generation;
    private final ObjectReference about;
    private @Nullable ScalerStatus written;
    private Set<String> told;

    public Teller(Cluster cluster, InferenceScaler resource) {
        this.cluster = cluster;
        this.name = resource.getMetadata().getName();
        this.generation = resource.getMetadata().getGeneration();
        this.written = resource.getStatus();
        this.told = new HashSet<>(StatusText.holding(written).keySet());
        this.about =
                new ObjectReferenceBuilder()
                        .withApiVersion(resource.getApiVersion())
                        .withKind(resource.getKind())
                        .withNamespace(resource.getMetadata().getNamespace())
                        .withName(name)
                        .withUid(resource.getMetadata().getUid())
                        .build();
    }

    /// @param said null while the target was never seen
    /// @param extra what stands out beside it
    public void tell(@Nullable ScalingStatus said, List<Condition> extra) {
        ScalerStatus now = StatusText.of(said, extra, generation, written, Instant.now());
        if (StatusText.same(written, now)) {
            return;
        }
        try {
            cluster.status(name, now);
            events(now);
            written = now;
        } catch (KubernetesClientException e) {
            log.debug("{}: its status was not written: {}", name, e.getMessage());
        }
    }

    private void events(ScalerStatus now) {
        var before = written == null ? null : written.lastDecision();
        var last = now.lastDecision();
        if (last != null && !last.equals(before)) {
            cluster.event(about, false, last.reason(), last.message());
        }
        var holding = StatusText.holding(now);
        holding.forEach(
                (type, why) -> {
                    if (!told.contains(type)) {
                        cluster.event(about, true, type, why);
                    }
                });
        told = new HashSet<>(holding.keySet());
    }
}
