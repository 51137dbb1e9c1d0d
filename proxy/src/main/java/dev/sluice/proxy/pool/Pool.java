package dev.sluice.proxy.pool;

import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/// A pool at run time: its latest {@link Snapshot}, and what waits for it.
///
/// Any thread. Event loops take places on endpoints here and report how exchanges ended; the
/// control thread publishes.
public final class Pool {
    private static final Demand NOBODY =
            new Demand() {
                @Override
                public void capacityFreed() {}

                @Override
                public void sweep() {}
            };

    private final PoolConfig config;
    private final LongSupplier nanoClock;
    private final Consumer<Endpoint> troubled;
    private volatile Snapshot snapshot;
    private volatile Demand demand = NOBODY;

    /// @param troubled told of an endpoint whose last exchange should be judged at once
    Pool(PoolConfig config, LongSupplier nanoClock, Consumer<Endpoint> troubled) {
        this.config = config;
        this.nanoClock = nanoClock;
        this.troubled = troubled;
        this.snapshot =
                new Snapshot(
                        config.name(), List.of(), List.of(), Set.copyOf(config.models()), false);
    }

    public PoolConfig config() {
        return config;
    }

    public String name() {
        return config.name();
    }

    public Snapshot snapshot() {
        return snapshot;
    }

    /// Who waits for this pool's capacity; one, set once at start.
    public void serve(Demand waiting) {
        demand = waiting;
    }

    /// Takes a place on a member, if one is free still.
    public boolean take(Member member) {
        return switch (member.use()) {
            case FULL, DEGRADED -> member.endpoint().take(member.cap());
            case TRIAL -> member.endpoint().takeTrial();
            case NONE -> false;
        };
    }

    /// Returns a place that was taken and not used.
    public void giveBack(Member member) {
        member.endpoint().giveBack(member.use() == Member.Use.TRIAL);
        demand.capacityFreed();
    }

    void ended(Member member, AttemptResult result, long retryAfterNanos) {
        Endpoint endpoint = member.endpoint();
        long now = nanoClock.getAsLong();
        endpoint.ended(result, now);
        if (result == AttemptResult.OVERLOADED) {
            endpoint.cool(now + Cooldown.nanos(retryAfterNanos));
        }
        giveBack(member);
        if (result.failure() || member.use() == Member.Use.TRIAL) {
            troubled.accept(endpoint);
        }
    }

    long now() {
        return nanoClock.getAsLong();
    }

    Demand demand() {
        return demand;
    }

    void publish(Snapshot next) {
        snapshot = next;
        demand.capacityFreed();
    }
}
