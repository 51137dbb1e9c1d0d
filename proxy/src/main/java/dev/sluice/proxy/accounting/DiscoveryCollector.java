package dev.sluice.proxy.accounting;

import dev.sluice.proxy.discovery.Searches;
import dev.sluice.shared.MetricNames;

import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;

import java.util.List;
import java.util.function.Supplier;

/// Publishes which searches for endpoints are answered.
record DiscoveryCollector(Supplier<List<Searches.View>> searches) implements Collector {
    @Override
    public MetricSnapshot collect() {
        var out =
                GaugeSnapshot.builder()
                        .name(MetricNames.DISCOVERY_FRESH)
                        .help("1 while the endpoints found are those that their source names");
        for (Searches.View search : searches.get()) {
            out.dataPoint(
                    GaugeSnapshot.GaugeDataPointSnapshot.builder()
                            .labels(Labels.of(MetricNames.POOL, search.pool()))
                            .value(search.fresh() ? 1 : 0)
                            .build());
        }
        return out.build();
    }
}
