package dev.sluice.proxy.pool;

import org.jspecify.annotations.Nullable;

/// What an endpoint may be used for. Times are nanoseconds of the proxy's clock.
public sealed interface HealthState {

    /// For a person: what was seen, with its number.
    String reason();

    /// When this state was entered.
    long sinceNanos();

    /// As in the admin API and in meters.
    default String label() {
        return switch (this) {
            case Starting _ -> "starting";
            case Healthy _ -> "healthy";
            case Degraded _ -> "degraded";
            case Unhealthy _ -> "unhealthy";
            case Draining _ -> "draining";
        };
    }

    /// Exists, has not answered a probe yet.
    record Starting(String reason, long sinceNanos) implements HealthState {}

    /// @param badSince since when a signal of {@link Degraded} has been seen without a break; null:
    ///   none is
    /// @param ejections how often it was ejected lately; the exponent of the next ejection
    record Healthy(String reason, long sinceNanos, @Nullable Long badSince, int ejections)
            implements HealthState {}

    /// Works, but worse than it should: gets a smaller share.
    ///
    /// @param calmSince since when every signal has been below 0.7 of its threshold; null: one is
    ///   not
    /// @param weight 0.25 to 0.5 of its share
    record Degraded(
            String reason, long sinceNanos, @Nullable Long calmSince, double weight, int ejections)
            implements HealthState {}

    /// Out of rotation.
    ///
    /// @param trialAt when one request at a time may try it again; null: answered probes are
    ///   enough, since no request failed
    /// @param ejections how often it was ejected lately, this time included
    record Unhealthy(String reason, long sinceNanos, @Nullable Long trialAt, int ejections)
            implements HealthState {}

    /// Finishes what runs, takes nothing new, until an operator or the autoscaler says otherwise.
    ///
    /// @param under what it would be without the drain
    record Draining(String reason, long sinceNanos, HealthState under) implements HealthState {}
}
