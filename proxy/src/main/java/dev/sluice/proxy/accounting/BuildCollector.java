package dev.sluice.proxy.accounting;

import dev.sluice.shared.MetricNames;

import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;

/// Publishes which version runs.
record BuildCollector(String version) implements Collector {
    @Override
    public MetricSnapshot collect() {
        String name = MetricNames.BUILD_INFO;
        return InfoSnapshot.builder()
                .name(name.substring(0, name.length() - "_info".length()))
                .help("The version that runs")
                .dataPoint(
                        InfoSnapshot.InfoDataPointSnapshot.builder()
                                .labels(Labels.of(MetricNames.VERSION, version))
                                .build())
                .build();
    }
}
