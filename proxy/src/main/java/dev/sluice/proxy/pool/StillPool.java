package dev.sluice.proxy.pool;

import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;

/// A pool whose endpoints are all well and stay so, without a control thread: what an evaluation in
/// virtual time runs the shipped dispatcher and policies against. Nothing is probed, ejected or
/// learned from the engines; latencies and places are counted as ever.
public final class StillPool {
    private StillPool() {}

    /// @param nanoClock the evaluation's
    public static Pool of(PoolConfig config, LongSupplier nanoClock) {
        var pool = new Pool(config, nanoClock, new Unjudged());
        int cap =
                config.cap() instanceof PoolConfig.Cap.Fixed(int slots) ? slots : Integer.MAX_VALUE;
        List<Member> members =
                config.endpoints().stream().map(e -> member(new Endpoint(e), cap)).toList();
        pool.publish(
                new Snapshot(
                        config.name(),
                        members,
                        members,
                        List.of(),
                        Set.copyOf(config.models()),
                        false));
        return pool;
    }

    private static Member member(Endpoint endpoint, int cap) {
        return new Member(
                endpoint,
                new HealthState.Healthy("evaluation", 0, null, 0),
                Member.Use.FULL,
                endpoint.weight(),
                cap,
                0,
                null,
                null,
                Recent.NOTHING);
    }

    /// Failures lead to nothing.
    private record Unjudged() implements Pool.Reports {
        @Override
        public void troubled(Pool pool, Endpoint endpoint) {
            // nobody is ejected
        }

        @Override
        public void trialEnded(Pool pool, Endpoint endpoint, AttemptResult result) {
            // nobody is on trial
        }
    }
}
