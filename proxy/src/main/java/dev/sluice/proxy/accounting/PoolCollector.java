package dev.sluice.proxy.accounting;

import dev.sluice.proxy.pool.Member;
import dev.sluice.shared.MetricNames;

import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;

import java.util.List;
import java.util.function.Supplier;

/// Publishes what pools are at a scrape: in-flight, queue, states. Nothing is kept between scrapes,
/// so an endpoint that left leaves no series behind.
public final class PoolCollector implements MultiCollector {
    private static final List<String> STATES =
            List.of("starting", "healthy", "degraded", "unhealthy", "draining");

    private final Supplier<List<PoolView>> pools;

    public PoolCollector(Supplier<List<PoolView>> pools) {
        this.pools = pools;
    }

    @Override
    public MetricSnapshots collect() {
        var depth = gauge(MetricNames.QUEUE_DEPTH, "Calls that wait for a slot");
        var inFlight = gauge(MetricNames.IN_FLIGHT, "Exchanges begun and not at their last byte");
        var states = gauge(MetricNames.ENDPOINT_STATE, "1 at the state that an endpoint is in");
        for (PoolView view : pools.get()) {
            Labels pool = Labels.of(MetricNames.POOL, view.pool().name());
            depth.dataPoint(point(pool, view.queue().waiting()));
            for (Member member : view.pool().snapshot().members()) {
                Labels labels = pool.add(MetricNames.ENDPOINT, member.endpoint().id());
                inFlight.dataPoint(point(labels, member.endpoint().inFlight()));
                for (String state : STATES) {
                    states.dataPoint(
                            point(
                                    labels.add(MetricNames.STATE, state),
                                    state.equals(member.health().label()) ? 1 : 0));
                }
            }
        }
        return MetricSnapshots.of(depth.build(), inFlight.build(), states.build());
    }

    private static GaugeSnapshot.Builder gauge(String name, String help) {
        return GaugeSnapshot.builder().name(name).help(help);
    }

    private static GaugeDataPointSnapshot point(Labels labels, int value) {
        return GaugeDataPointSnapshot.builder().labels(labels).value(value).build();
    }
}
