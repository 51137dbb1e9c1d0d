package dev.sluice.autoscaler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.autoscaler.target.ProcessSpec;
import dev.sluice.shared.ConfigException;
import dev.sluice.shared.ConfigSource;
import dev.sluice.shared.ScalingStatus;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

class AutoscalerTest {
    @TempDir Path folder;

    @Test
    void scalesUpWithLoadAndDownWithoutItAndLeavesNothingBehind() throws Exception {
        try (var proxy = new FakeProxy();
                var http = HttpClient.newHttpClient()) {
            try (var autoscaler = Autoscaler.start(config(file(proxy, "19450-19453")), false)) {
                await(() -> proxy.endpoints.size() == 1);
                proxy.queue(7); // two slots each: max
                await(() -> proxy.endpoints.size() == 3);
                assertThat(proxy.statuses).anyMatch(s -> s.contains("\"reason\":\"load\""));

                proxy.queue(0);
                await(() -> proxy.endpoints.size() == 1);
                ScalingStatus status = autoscaler.statuses().getFirst();
                assertThat(status.decisions())
                        .extracting(ScalingStatus.Decision::reason)
                        .contains("load-low", "load", "below-min");

                URI admin = autoscaler.adminUrl();
                assertThat(get(http, admin + "/readyz")).startsWith("200");
                assertThat(get(http, admin + "/metrics"))
                        .contains("sluice_desired_replicas{pool=\"llama\"}")
                        .contains("sluice_current_replicas{pool=\"llama\",state=\"ready\"}")
                        .contains(
                                "sluice_scale_decisions_total{direction=\"up\",pool=\"llama\","
                                        + "reason=\"load\"}");
                String page = Files.readString(Path.of("..", "docs", "metrics.md"));
                assertThat(
                                names(
                                        "^\\| `(sluice_\\w+)`",
                                        page.substring(page.indexOf("## The autoscaler"))))
                        .containsExactlyInAnyOrderElementsOf(
                                names("^# TYPE (sluice_\\w+)", get(http, admin + "/metrics")));
            }
            assertThat(proxy.endpoints).isEmpty();
            assertThat(ProcessHandle.current().children().filter(ProcessHandle::isAlive)).isEmpty();
        }
    }

    private static List<String> names(String pattern, String text) {
        return Pattern.compile(pattern, Pattern.MULTILINE)
                .matcher(text)
                .results()
                .map(found -> found.group(1))
                .toList();
    }

    @Test
    void dryRunTellsAndStartsNothing() throws Exception {
        try (var proxy = new FakeProxy()) {
            try (var autoscaler = Autoscaler.start(config(file(proxy, "19460-19463")), true)) {
                await(() -> proxy.statuses.size() >= 2);
                ScalingStatus status = autoscaler.statuses().getFirst();
                assertThat(status.dryRun()).isTrue();
                assertThat(status.desired()).isEqualTo(1);
                assertThat(status.decisions()).hasSize(1);
            }
            assertThat(proxy.changes).isEmpty();
        }
    }

    @Test
    void readsTheDefaultsOfTheContract() {
        AutoscalerConfig.Entry e =
                config(
                                """
                                scalers:
                                  - target: {process: {command: [vllm, "{port}"], ports: 9001-9010}}
                                    proxies: {service: sluice, port: 9901}
                                    pool: llama
                                """)
                        .scalers()
                        .getFirst();
        assertThat(e.spec().rules().cpuHigh()).isEqualTo(0.8);
        assertThat(e.spec().rules().errorHigh()).isEqualTo(0.05);
        assertThat(e.spec().rules().cpuLow()).isEqualTo(0.2);
        assertThat(e.spec().rules().errorLow()).isEqualTo(0.01);
        assertThat(e.spec().rules().stepUp()).isEqualTo(2);
        assertThat(e.spec().rules().stepDown()).isEqualTo(1);
        assertThat(e.spec().load().slotsPerReplica()).isNull();
        assertThat(e.spec().load().spare()).isEqualTo(1);
        assertThat(e.spec().scaleDown().window()).isEqualTo(Duration.ofMinutes(10));
        assertThat(e.spec().zero().enabled()).isFalse();
        assertThat(e.target())
                .isInstanceOfSatisfying(
                        ProcessSpec.class, p -> assertThat(p.ready()).isEqualTo("/health"));
        assertThat(e.proxies().service()).isEqualTo("sluice");
    }

    @Test
    void reportsEveryProblemWithItsFix() {
        assertThatThrownBy(
                        () ->
                                config(
                                        """
                                        interval: 1h
                                        scalers:
                                          - pool: a
                                            target: {kind: Deployment}
                                            proxies: {urls: ["localhost"]}
                                            min: 5
                                            max: 3
                                            forecast: {mode: yesterday}
                                            rules: {cpuHigh: 0.1}
                                          - pool: a
                                            min: 0
                                            target: {process: {command: [x], ports: 9-1, redy: /}}
                                            scaleDwn: {window: 1m}
                                        """))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("write the name of the Deployment")
                .hasMessageContaining("line 6: scalers[0].min: 5 is above max 3")
                .hasMessageContaining("\"localhost\" is not a proxy's address")
                .hasMessageContaining("\"yesterday\" does not exist")
                .hasMessageContaining("is not below cpuHigh")
                .hasMessageContaining("0 needs scaleToZero")
                .hasMessageContaining("never says {port}")
                .hasMessageContaining("\"9-1\" is not a range")
                .hasMessageContaining("did you mean ready?")
                .hasMessageContaining("did you mean scaleDown?")
                .hasMessageContaining("two scale the pool a")
                .hasMessageContaining("write 200ms to 15s");
    }

    private String file(FakeProxy proxy, String ports) {
        String command =
                TinyReplica.command().stream()
                        .map(a -> "\"" + a + "\"")
                        .collect(Collectors.joining(", ", "[", "]"));
        return """
        admin: 127.0.0.1:0
        interval: 200ms
        state: %s
        scalers:
          - pool: llama
            target: {process: {command: %s, ports: %s}}
            proxies: {urls: ["%s"]}
            min: 1
            max: 3
            load: {slotsPerReplica: 4, spare: 1, mean: 4s}
            scaleDown: {window: 1s, drain: 5s}
        """
                .formatted(folder, command, ports, proxy.url());
    }

    private static AutoscalerConfig config(String yaml) {
        return ConfigSource.parse("test", yaml, n -> null, AutoscalerConfig::from);
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(40))
                .pollInterval(Duration.ofMillis(50))
                .until(condition);
    }

    private static String get(HttpClient http, String url)
            throws IOException, InterruptedException {
        var answer =
                http.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString());
        return answer.statusCode() + " " + answer.body();
    }
}
