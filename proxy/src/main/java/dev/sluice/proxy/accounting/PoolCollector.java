package dev.sluice.proxy.accounting;

import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.EngineReport;
import dev.sluice.proxy.pool.Member;
import dev.sluice.shared.EngineLoad;
import dev.sluice.shared.MetricNames;

import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// Publishes what pools are at a scrape: in-flight, queue, states, and what engines said. Nothing
/// is kept between scrapes, so an endpoint that left leaves no series behind.
public final class PoolCollector implements MultiCollector {
    private static final List<String> STATES =
            List.of("starting", "healthy", "degraded", "unhealthy", "draining");

    private final Supplier<List<PoolView>> pools;
    private final LongSupplier nanoClock;

    public PoolCollector(Supplier<List<PoolView>> pools, LongSupplier nanoClock) {
        this.pools = pools;
        this.nanoClock = nanoClock;
    }

    /// The families of one scrape, being filled.
    private static final class Families {
        final GaugeSnapshot.Builder depth =
                gauge(MetricNames.QUEUE_DEPTH, "Calls that wait for a slot");
        final GaugeSnapshot.Builder inFlight =
                gauge(MetricNames.IN_FLIGHT, "Exchanges begun and not at their last byte");
        final GaugeSnapshot.Builder states =
                gauge(MetricNames.ENDPOINT_STATE, "1 at the state that an endpoint is in");
        final CounterSnapshot.Builder attempts =
                counter(MetricNames.ENDPOINT_ATTEMPTS, "Exchanges begun with an endpoint");
        final CounterSnapshot.Builder failures =
                counter(
                        MetricNames.ENDPOINT_FAILURES,
                        "Exchanges that failed by the endpoint's fault");
        final GaugeSnapshot.Builder slots =
                gauge(MetricNames.ENDPOINT_SLOTS, "Exchanges that an endpoint may run at once");
        final GaugeSnapshot.Builder waiting =
                gauge(MetricNames.ENDPOINT_WAITING, "What waits in the engine's own queue");
        final GaugeSnapshot.Builder kvUsage =
                gauge(MetricNames.ENDPOINT_KV_USAGE, "How full the engine's KV cache is");
        final GaugeSnapshot.Builder age =
                gauge(
                        MetricNames.ENDPOINT_SIGNAL_AGE,
                        "Time since the engine's own metrics were last read");

        MetricSnapshots build() {
            return MetricSnapshots.of(
                    depth.build(),
                    inFlight.build(),
                    states.build(),
                    attempts.build(),
                    failures.build(),
                    slots.build(),
                    waiting.build(),
                    kvUsage.build(),
                    age.build());
        }
    }

    @Override
    public MetricSnapshots collect() {
        var out = new Families();
        long now = nanoClock.getAsLong();
        for (PoolView view : pools.get()) {
            Labels pool = Labels.of(MetricNames.POOL, view.pool().name());
            out.depth.dataPoint(point(pool, view.queue().waiting()));
            long staleness = view.pool().config().health().staleness().toNanos();
            for (Member member : view.pool().snapshot().members()) {
                Labels labels = pool.add(MetricNames.ENDPOINT, member.endpoint().id());
                own(out, member, labels);
                said(out, member.engine(), labels, now, staleness);
            }
        }
        return out.build();
    }

    private static void own(Families out, Member member, Labels labels) {
        Endpoint endpoint = member.endpoint();
        out.inFlight.dataPoint(point(labels, endpoint.inFlight()));
        out.attempts.dataPoint(count(labels, endpoint.attempts()));
        out.failures.dataPoint(count(labels, endpoint.failures()));
        if (member.cap() != Integer.MAX_VALUE) {
            out.slots.dataPoint(point(labels, member.cap()));
        }
        for (String state : STATES) {
            out.states.dataPoint(
                    point(
                            labels.add(MetricNames.STATE, state),
                            state.equals(member.health().label()) ? 1 : 0));
        }
    }

    /// What is older than the proxy itself would believe is left out, but for its age.
    private static void said(
            Families out, @Nullable EngineReport engine, Labels labels, long now, long staleness) {
        EngineLoad load = engine == null ? null : engine.load();
        if (engine == null || load == null) {
            return;
        }
        long age = now - engine.loadAtNanos();
        out.age.dataPoint(point(labels, age / 1e9));
        if (age >= staleness) {
            return;
        }
        if (load.waiting() != null) {
            out.waiting.dataPoint(point(labels, load.waiting()));
        }
        if (load.kvUsage() != null) {
            out.kvUsage.dataPoint(point(labels, load.kvUsage()));
        }
    }

    private static GaugeSnapshot.Builder gauge(String name, String help) {
        return GaugeSnapshot.builder().name(name).help(help);
    }

    /// The library adds `_total` itself.
    private static CounterSnapshot.Builder counter(String name, String help) {
        return CounterSnapshot.builder()
                .name(name.substring(0, name.length() - "_total".length()))
                .help(help);
    }

    private static GaugeDataPointSnapshot point(Labels labels, double value) {
        return GaugeDataPointSnapshot.builder().labels(labels).value(value).build();
    }

    private static CounterDataPointSnapshot count(Labels labels, long n) {
        return CounterDataPointSnapshot.builder().labels(labels).value((double) n).build();
    }
}
