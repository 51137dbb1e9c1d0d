package dev.sluice.autoscaler;

import dev.sluice.autoscaler.decision.Recommendation;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.shared.MetricNames;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The autoscaler's metrics. Any thread.
final class Meters {
    private final PrometheusMeterRegistry registry =
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Map<String, Integer> gauges = new ConcurrentHashMap<>();

    void record(String pool, Recommendation r, Replicas replicas) {
        registry.counter(
                        MetricNames.SCALE_DECISIONS,
                        MetricNames.POOL,
                        pool,
                        MetricNames.DIRECTION,
                        r.direction(),
                        MetricNames.REASON,
                        r.binding().word())
                .increment();
        Tags tags = Tags.of(MetricNames.POOL, pool);
        gauge(MetricNames.DESIRED_REPLICAS, tags, r.replicas());
        gauge(MetricNames.NEEDED_REPLICAS, tags, r.need());
        for (Replicas.State state : Replicas.State.values()) {
            gauge(
                    MetricNames.CURRENT_REPLICAS,
                    tags.and(MetricNames.STATE, state.name().toLowerCase(Locale.ROOT)),
                    replicas.count(state));
        }
    }

    /// In Prometheus' text format.
    String scrape() {
        return registry.scrape();
    }

    private void gauge(String name, Tags tags, int value) {
        String key = name + tags;
        if (gauges.put(key, value) == null) {
            Gauge.builder(name, gauges, all -> all.getOrDefault(key, 0))
                    .tags(tags)
                    .register(registry);
        }
    }
}
