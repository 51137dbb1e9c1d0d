package dev.sluice.autoscaler;

import dev.sluice.autoscaler.decision.Recommendation;
import dev.sluice.autoscaler.decision.Spec;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.autoscaler.signal.Replicas.ColdStart;
import dev.sluice.shared.MetricNames;

import io.micrometer.core.instrument.Counter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.Quantile;
import io.prometheus.metrics.model.snapshots.Quantiles;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot.SummaryDataPointSnapshot;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/// The autoscaler's metrics. Any thread. Gauges say what the last look of a pool said, and go when
/// its loop ends: another process may hold the lease then, and one figure must not be told twice.
final class Meters {
    /// Shown from the start, so that an alert sees them end.
    private static final Set<String> ALWAYS = Set.of("SignalsStale", "Limited");

    private final PrometheusMeterRegistry registry =
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Map<String, Look> looks = new ConcurrentHashMap<>();
    private final Map<String, Map<String, Boolean>> conditions = new ConcurrentHashMap<>();
    private volatile boolean leader;

    private record Look(Spec spec, Recommendation said, Replicas replicas, int reversals) {}

    Meters() {
        registry.getPrometheusRegistry().register((MultiCollector) this::gauges);
    }

    void record(String pool, Spec spec, Recommendation said, Replicas replicas, int reversals) {
        Counter.builder(MetricNames.SCALE_DECISIONS)
                .description("Looks at a pool, by what they led to and why")
                .tag(MetricNames.POOL, pool)
                .tag(MetricNames.DIRECTION, said.direction())
                .tag(MetricNames.REASON, said.binding().word())
                .register(registry)
                .increment();
        looks.put(pool, new Look(spec, said, replicas, reversals));
    }

    /// Its loop has ended.
    void forget(String pool) {
        looks.remove(pool);
        conditions.remove(pool);
    }

    /// What stands out at a pool, by the types of its conditions; all others of it hold no more.
    void conditions(String pool, Set<String> holding) {
        var now = new TreeMap<String, Boolean>();
        conditions.getOrDefault(pool, Map.of()).keySet().forEach(type -> now.put(type, false));
        ALWAYS.forEach(type -> now.put(type, false));
        holding.forEach(type -> now.put(type, true));
        conditions.put(pool, now);
    }

    /// Whether this process may act.
    void leader(boolean leads) {
        leader = leads;
    }

    /// In Prometheus' text format.
    String scrape() {
        return registry.scrape();
    }

    private MetricSnapshots gauges() {
        var desired = gauge(MetricNames.DESIRED_REPLICAS, "Replicas that it wants");
        var needed = gauge(MetricNames.NEEDED_REPLICAS, "Replicas that the signals ask for");
        var min = gauge(MetricNames.MIN_REPLICAS, "Fewest replicas that may be");
        var max = gauge(MetricNames.MAX_REPLICAS, "Most replicas that may be");
        var reversals =
                gauge(
                        MetricNames.SCALE_REVERSALS,
                        "Turns of the direction within ten minutes, in the last hour");
        var current = gauge(MetricNames.CURRENT_REPLICAS, "Replicas there are");
        var coldStart =
                SummarySnapshot.builder()
                        .name(MetricNames.COLD_START)
                        .help("Time from a replica's start to ready");
        looks.forEach(
                (name, look) -> {
                    Labels pool = Labels.of(MetricNames.POOL, name);
                    desired.dataPoint(point(pool, look.said.replicas()));
                    needed.dataPoint(point(pool, look.said.need()));
                    min.dataPoint(point(pool, look.spec.min()));
                    max.dataPoint(point(pool, look.spec.max()));
                    reversals.dataPoint(point(pool, look.reversals));
                    for (Replicas.State state : Replicas.State.values()) {
                        Labels labels =
                                pool.add(MetricNames.STATE, state.name().toLowerCase(Locale.ROOT));
                        current.dataPoint(point(labels, look.replicas.count(state)));
                    }
                    ColdStart seen = look.replicas.coldStart();
                    if (seen.samples() > 0) {
                        coldStart.dataPoint(
                                SummaryDataPointSnapshot.builder()
                                        .labels(pool)
                                        .quantiles(
                                                Quantiles.of(
                                                        new Quantile(0.5, seen.p50Ms() / 1e3),
                                                        new Quantile(0.99, seen.p99Ms() / 1e3)))
                                        .build());
                    }
                });
        var condition = gauge(MetricNames.SCALE_CONDITION, "1 while the condition holds");
        conditions.forEach(
                (pool, types) ->
                        types.forEach(
                                (type, holds) ->
                                        condition.dataPoint(
                                                point(
                                                        Labels.of(
                                                                MetricNames.POOL,
                                                                pool,
                                                                MetricNames.CONDITION,
                                                                type),
                                                        holds ? 1 : 0))));
        var leads =
                gauge(MetricNames.SCALE_LEADER, "1 while this process may act")
                        .dataPoint(point(Labels.EMPTY, leader ? 1 : 0));
        return MetricSnapshots.of(
                condition.build(),
                leads.build(),
                desired.build(),
                needed.build(),
                min.build(),
                max.build(),
                reversals.build(),
                current.build(),
                coldStart.build());
    }

    private static GaugeSnapshot.Builder gauge(String name, String help) {
        return GaugeSnapshot.builder().name(name).help(help);
    }

    private static GaugeDataPointSnapshot point(Labels labels, double value) {
        return GaugeDataPointSnapshot.builder().labels(labels).value(value).build();
    }
}
