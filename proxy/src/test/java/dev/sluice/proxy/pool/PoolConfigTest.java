package dev.sluice.proxy.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.shared.ConfigException;
import dev.sluice.shared.ConfigSource;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.List;

class PoolConfigTest {

    @Test
    void takesDefaults() {
        assertThat(parse("pools: [{name: p}]").getFirst())
                .isEqualTo(PoolConfig.of("p", Policy.LEAST_LOADED, List.of()));
    }

    @Test
    void readsEverything() {
        PoolConfig config =
                parse(
                                """
                                pools:
                                  - name: p
                                    models: [m]
                                    policy: weighted
                                    weights: live
                                    cap: 8
                                    endpoints:
                                      - {url: http://10.0.0.1:8000, weight: 2}
                                      - {url: "https://h/v1"}
                                    health: {path: /up, interval: 2s, scrape_interval: 2s}
                                    queue: {depth: 5, bytes: 1MiB, deadline: 10s, hold: true}
                                """)
                        .getFirst();
        assertThat(config.models()).containsExactly("m");
        assertThat(config.weights()).isEqualTo(PoolConfig.Weights.LIVE);
        assertThat(config.cap()).isEqualTo(new PoolConfig.Cap.Fixed(8));
        assertThat(config.endpoints())
                .extracting(e -> e.url().id() + "=" + e.weight())
                .containsExactly("10.0.0.1:8000=2", "h:443=1");
        assertThat(config.health().path()).isEqualTo("/up");
        assertThat(config.health().staleness()).isEqualTo(Duration.ofSeconds(6));
        assertThat(config.queue())
                .isEqualTo(
                        new QueueConfig(
                                5, 1 << 20, Duration.ofSeconds(10), true, Duration.ofSeconds(300)));
    }

    @Test
    void reportsWhatIsWrongWithItsFix() {
        ConfigException e =
                catchThrowableOfType(
                        ConfigException.class,
                        () ->
                                parse(
                                        """
                                        pools:
                                          - name: p
                                            policy: least_load
                                            weights: live
                                            cap: many
                                            endpoints:
                                              - {url: http://10.0.0.1:8000}
                                              - {url: http://10.0.0.1:8000/}
                                              - {url: 10.0.0.2}
                                              - {weight: 2}
                                            health: {scrape_interval: 2s, staleness: 3s}
                                            queue: {hold: true, cold_start: 1s}
                                        """));
        assertThat(e)
                .hasMessageContaining("did you mean least_loaded?")
                .hasMessageContaining("live weights have no effect")
                .hasMessageContaining("pools[0].cap")
                .hasMessageContaining("10.0.0.1:8000 is already endpoints[0]")
                .hasMessageContaining("must begin with http://")
                .hasMessageContaining("write url: http://10.0.0.1:8000")
                .hasMessageContaining("write at least 6s")
                .hasMessageContaining("pools[0].queue.cold_start");
    }

    private static List<PoolConfig> parse(String text) {
        return ConfigSource.parse(
                "sluice.yaml", text, name -> null, n -> n.objects("pools", PoolConfig::from));
    }
}
