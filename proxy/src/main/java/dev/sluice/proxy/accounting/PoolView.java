package dev.sluice.proxy.accounting;

import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.HealthState;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Pool;

import org.jspecify.annotations.Nullable;

import java.util.function.Supplier;

/// A pool and what waits for it, as reports and gauges read them. Any thread.
public record PoolView(Pool pool, Supplier<Queue> queue) {

    /// The queue at an instant.
    ///
    /// @param held calls that wait while no endpoint exists that could serve them
    /// @param oldestNanos how long the first has waited; 0 when none waits
    /// @param predictedNanos what a call arriving now would wait; null before any was measured
    /// @param arrivals calls that asked for the pool since the start
    public record Queue(
            int depth, int held, long oldestNanos, @Nullable Long predictedNanos, long arrivals) {}

    int inFlight() {
        return pool.snapshot().members().stream()
                .map(Member::endpoint)
                .mapToInt(Endpoint::inFlight)
                .sum();
    }

    /// How many endpoints take calls.
    int ready() {
        int n = 0;
        for (Member member : pool.snapshot().members()) {
            n += ready(member) ? 1 : 0;
        }
        return n;
    }

    static boolean ready(Member member) {
        return switch (member.health()) {
            case HealthState.Healthy _, HealthState.Degraded _ -> true;
            case HealthState.Starting _, HealthState.Unhealthy _, HealthState.Draining _ -> false;
        };
    }
}
