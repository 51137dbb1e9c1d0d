package dev.sluice.proxy.accounting;

import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.HealthState;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Pool;
import dev.sluice.proxy.routing.Dispatcher;
import dev.sluice.proxy.routing.QueueView;

/// A pool and what waits for it, as reports and gauges read them. Any thread.
public record PoolView(Dispatcher dispatcher) {

    public Pool pool() {
        return dispatcher.pool();
    }

    QueueView queue() {
        return dispatcher.queue();
    }

    int inFlight() {
        return pool().snapshot().members().stream()
                .map(Member::endpoint)
                .mapToInt(Endpoint::inFlight)
                .sum();
    }

    /// How many endpoints take calls.
    int ready() {
        int n = 0;
        for (Member member : pool().snapshot().members()) {
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
