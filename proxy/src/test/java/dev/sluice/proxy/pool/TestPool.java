package dev.sluice.proxy.pool;

import dev.sluice.proxy.pool.HealthState.Degraded;
import dev.sluice.proxy.pool.HealthState.Healthy;
import dev.sluice.proxy.pool.HealthState.Starting;
import dev.sluice.proxy.pool.HealthState.Unhealthy;
import dev.sluice.proxy.pool.Member.Use;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;

/// A pool whose snapshots a test lays out itself, instead of a control thread.
public final class TestPool {
    private TestPool() {}

    public static Pool of(PoolConfig config, LongSupplier clock) {
        return new Pool(
                config,
                clock,
                new Pool.Reports() {
                    @Override
                    public void troubled(Pool pool, Endpoint endpoint) {}

                    @Override
                    public void trialEnded(Pool pool, Endpoint endpoint, AttemptResult result) {}
                });
    }

    public static Endpoint endpoint(int number) {
        return new Endpoint(
                new EndpointConfig(EndpointUrl.parse("http://10.0.0." + number + ":8000"), 1));
    }

    public static Member member(Endpoint endpoint, Use use, double weight, int cap) {
        HealthState health =
                switch (use) {
                    case FULL -> new Healthy("test", 0, null, 0);
                    case DEGRADED -> new Degraded("test", 0, null, 0.5, 0);
                    case TRIAL -> new Unhealthy("test", 0, 0L, 1);
                    case NONE -> new Starting("test", 0);
                };
        return new Member(endpoint, health, use, weight, cap, 0, null, null, Recent.NOTHING);
    }

    public static Member serving(Member member, String... models) {
        return new Member(
                member.endpoint(),
                member.health(),
                member.use(),
                member.weight(),
                member.cap(),
                member.foreign(),
                Set.of(models),
                null,
                member.recent());
    }

    public static Member foreign(Member member, double foreign) {
        return new Member(
                member.endpoint(),
                member.health(),
                member.use(),
                member.weight(),
                member.cap(),
                foreign,
                member.models(),
                null,
                member.recent());
    }

    public static Snapshot snapshot(Member... members) {
        List<Member> all = Arrays.asList(members);
        var models = new LinkedHashSet<String>();
        all.stream().filter(m -> m.models() != null).forEach(m -> models.addAll(m.models()));
        return new Snapshot(
                "p",
                all,
                all.stream().filter(m -> m.use() == Use.FULL || m.use() == Use.DEGRADED).toList(),
                all.stream().filter(m -> m.use() == Use.TRIAL).toList(),
                models,
                all.stream().map(Member::models).distinct().count() > 1);
    }

    public static void publish(Pool pool, Member... members) {
        pool.publish(snapshot(members));
    }

    public static void ttft(Endpoint endpoint, double millis) {
        endpoint.firstByte((long) (millis * 1e6), 0);
    }

    public static boolean take(Endpoint endpoint) {
        return endpoint.take(Integer.MAX_VALUE);
    }
}
