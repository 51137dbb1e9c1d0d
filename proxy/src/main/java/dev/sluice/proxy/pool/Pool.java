package dev.sluice.proxy.pool;

import java.util.List;
import java.util.Set;
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

                @Override
                public int waiting() {
                    return 0;
                }

                @Override
                public void follow(PoolConfig config) {}

                @Override
                public void close() {}
            };

    private final String name;
    private final LongSupplier nanoClock;
    private final Reports reports;
    private volatile PoolConfig config;
    private volatile Snapshot snapshot;
    private volatile Demand demand = NOBODY;

    /// @param reports told of exchanges that should be judged at once
    Pool(PoolConfig config, LongSupplier nanoClock, Reports reports) {
        this.name = config.name();
        this.config = config;
        this.nanoClock = nanoClock;
        this.reports = reports;
        this.snapshot =
                new Snapshot(
                        config.name(),
                        List.of(),
                        List.of(),
                        List.of(),
                        Set.copyOf(config.models()),
                        false);
    }

    /// As last loaded: a reload replaces it.
    public PoolConfig config() {
        return config;
    }

    public String name() {
        return name;
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
        if (member.use() == Member.Use.TRIAL) {
            member.endpoint().rearm();
        }
        member.endpoint().giveBack();
        demand.capacityFreed();
    }

    /// The first byte of a trial is its success: a stream may go on for minutes.
    void firstByte(Member member, long ttftNanos) {
        member.endpoint().firstByte(ttftNanos, nanoClock.getAsLong());
        opened(member);
    }

    /// A connection that may stay for hours is open: that is a trial's success too.
    void opened(Member member) {
        if (member.use() == Member.Use.TRIAL) {
            reports.trialEnded(this, member.endpoint(), AttemptResult.OK);
        }
    }

    void ended(Member member, AttemptResult result, long retryAfterNanos, long startNanos) {
        Endpoint endpoint = member.endpoint();
        long now = nanoClock.getAsLong();
        endpoint.ended(result, now - startNanos, now);
        if (result == AttemptResult.OVERLOADED) {
            endpoint.cool(now + Cooldown.nanos(retryAfterNanos));
        }
        endpoint.giveBack();
        if (member.use() == Member.Use.TRIAL) {
            reports.trialEnded(this, endpoint, result);
        } else if (result.failure() && endpoint.reportTrouble()) {
            reports.troubled(this, endpoint);
        }
        demand.capacityFreed();
    }

    long now() {
        return nanoClock.getAsLong();
    }

    Demand demand() {
        return demand;
    }

    /// Calls and exchanges that it still holds.
    boolean busy() {
        if (demand.waiting() > 0) {
            return true;
        }
        for (Member member : snapshot.members()) {
            if (member.endpoint().inFlight() > 0) {
                return true;
            }
        }
        return false;
    }

    void follow(PoolConfig next) {
        config = next;
        demand.follow(next);
    }

    void publish(Snapshot next) {
        snapshot = next;
        demand.capacityFreed();
    }

    /// What the control thread wants to hear at once. Called on event loops.
    interface Reports {
        void troubled(Pool pool, Endpoint endpoint);

        void trialEnded(Pool pool, Endpoint endpoint, AttemptResult result);
    }
}
