package dev.sluice.proxy.accounting;

import dev.sluice.shared.MetricNames;

import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;

import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/// How reloads of the configuration went. Any thread. The configuration of the start counts as a
/// success, so that an alert on the gauge is right from the first scrape.
public final class ReloadMeters implements MultiCollector {
    private final Map<Result, LongAdder> counts = Adders.of(Result.class);
    private volatile boolean lastGood = true;
    private volatile long lastGoodMs;

    /// How a reload ended.
    public enum Result {
        /// Something changed.
        APPLIED,
        /// The file says what runs already.
        UNCHANGED,
        /// What differs needs a restart; nothing else does.
        NEEDS_RESTART,
        /// The file cannot be used; what ran before runs on.
        REJECTED;

        /// As in answers and meters.
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    ReloadMeters(long startedMs) {
        this.lastGoodMs = startedMs;
    }

    public void ended(Result result, long nowMs) {
        Adders.get(counts, result).increment();
        lastGood = result != Result.REJECTED;
        if (lastGood) {
            lastGoodMs = nowMs;
        }
    }

    @Override
    public MetricSnapshots collect() {
        String name = MetricNames.CONFIG_RELOADS;
        var reloads =
                CounterSnapshot.builder()
                        .name(name.substring(0, name.length() - "_total".length()))
                        .help("Reloads of the configuration, by how they ended");
        counts.forEach(
                (result, n) ->
                        reloads.dataPoint(
                                CounterDataPointSnapshot.builder()
                                        .labels(Labels.of(MetricNames.RESULT, result.label()))
                                        .value((double) n.sum())
                                        .build()));
        return MetricSnapshots.of(
                reloads.build(),
                gauge(
                        MetricNames.CONFIG_LAST_RELOAD_SUCCESS,
                        "1 when the last configuration read could be used, else 0",
                        lastGood ? 1 : 0),
                gauge(
                        MetricNames.CONFIG_LAST_RELOAD_SUCCESS_TIME,
                        "When a configuration that could be used was last read",
                        lastGoodMs / 1e3));
    }

    private static GaugeSnapshot gauge(String name, String help, double value) {
        return GaugeSnapshot.builder()
                .name(name)
                .help(help)
                .dataPoint(GaugeDataPointSnapshot.builder().value(value).build())
                .build();
    }
}
