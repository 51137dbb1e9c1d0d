package dev.sluice.proxy.accounting;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.discovery.Searches;

import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

class DiscoveryCollectorTest {
    @Test
    void onlyAnAnsweredSearchIsFresh() {
        assertThat(published(view("a", "fresh"), view("b", "stale"), view("c", "starting")))
                .isEqualTo(Map.of("a", 1.0, "b", 0.0, "c", 0.0));
    }

    @Test
    void nobodyWhoDoesNotLookIsSaidToBeStale() {
        assertThat(published()).isEmpty();
    }

    private static Searches.View view(String pool, String state) {
        return new Searches.View(pool, "dns name", state, 1, "");
    }

    private static Map<String, Double> published(Searches.View... views) {
        var registry = new PrometheusRegistry();
        registry.register(new DiscoveryCollector(() -> List.of(views)));
        var out = new TreeMap<String, Double>();
        registry.scrape().stream()
                .map(GaugeSnapshot.class::cast)
                .flatMap(gauge -> gauge.getDataPoints().stream())
                .forEach(point -> out.put(point.getLabels().get("pool"), point.getValue()));
        return out;
    }
}
