package dev.sluice.autoscaler.signal;

import org.jspecify.annotations.Nullable;

/// CPU use of the ready replicas, each as share of what it may use.
///
/// A replica whose use is not known counts as idle on the way up and as busy on the way down, as in
/// Kubernetes' HPA: missing figures move nothing.
///
/// @param sum over those whose use is known
/// @param known how many those are
/// @param unknown how many are ready and say nothing
public record Cpu(double sum, int known, int unknown) {

    /// The mean when deciding whether to add; null when nothing is known.
    public @Nullable Double up() {
        return known == 0 ? null : sum / (known + unknown);
    }

    /// The mean when deciding whether to remove; null when nothing is known.
    public @Nullable Double down() {
        return known == 0 ? null : (sum + unknown) / (known + unknown);
    }
}
