package dev.sluice.autoscaler.kubernetes;

import dev.sluice.autoscaler.target.ScaleTarget;

import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.autoscaling.v2.CrossVersionObjectReference;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;

import org.jspecify.annotations.Nullable;

import java.util.Collection;
import java.util.Comparator;

/// Who else scales a target. Pure.
public final class Rivals {
    private Rivals() {}

    /// The HPA that acts on it, or the KEDA ScaledObject that made this HPA; null without any.
    static @Nullable String of(ScaleTarget target, Collection<HorizontalPodAutoscaler> hpas) {
        for (HorizontalPodAutoscaler hpa : hpas) {
            CrossVersionObjectReference of = hpa.getSpec().getScaleTargetRef();
            if (of.getKind().equals(target.kind()) && of.getName().equals(target.name())) {
                for (OwnerReference owner : hpa.getMetadata().getOwnerReferences()) {
                    return owner.getKind() + " " + owner.getName();
                }
                return "HorizontalPodAutoscaler " + hpa.getMetadata().getName();
            }
        }
        return null;
    }

    /// The older resource that names the same target; null for the oldest.
    public static @Nullable String of(InferenceScaler scaler, Collection<InferenceScaler> all) {
        return all.stream()
                .filter(o -> !o.getMetadata().getUid().equals(scaler.getMetadata().getUid()))
                .filter(o -> sameTarget(o.getSpec(), scaler.getSpec()))
                .filter(o -> AGE.compare(o, scaler) < 0)
                .min(AGE)
                .map(o -> "InferenceScaler " + o.getMetadata().getName())
                .orElse(null);
    }

    private static final Comparator<InferenceScaler> AGE =
            Comparator.comparing((InferenceScaler s) -> s.getMetadata().getCreationTimestamp())
                    .thenComparing(s -> s.getMetadata().getName());

    private static boolean sameTarget(ScalerSpec a, ScalerSpec b) {
        return a.target().kind().equals(b.target().kind())
                && a.target().name().equals(b.target().name());
    }
}
