package dev.sluice.simulator.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;

import dev.sluice.simulator.Simulator;
import dev.sluice.simulator.SimulatorConfig;
import dev.sluice.simulator.server.Faults;
import dev.sluice.simulator.trace.TraceCall;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

class ReplayTest {
    private static final SimulatorConfig FAST =
            SimulatorConfig.defaults()
                    .withModel(
                            SimulatorConfig.defaults()
                                    .model()
                                    .withTtft(Duration.ofMillis(1))
                                    .withItl(Duration.ofMillis(2))
                                    .withPrefillRate(1e6)
                                    .withSlots(64));

    private Simulator simulator;

    @AfterEach
    void close() {
        if (simulator != null) {
            simulator.close();
        }
    }

    @Test
    void accountsForEveryCallAndMeasuresThem() throws IOException {
        start(FAST.withModel(FAST.model().withItl(Duration.ofMillis(10))));
        var last = new ArrayList<ReplayListener.Progress>();
        ReplaySummary summary = Replay.run(config(), calls(100, 5, 20), last::add);
        assertThat(summary.calls()).isEqualTo(100);
        assertThat(summary.ok()).as("%s", summary.failures()).isEqualTo(100);
        assertThat(summary.outputTokens()).isEqualTo(2_000);
        assertThat(summary.promptTokens()).isCloseTo(10_000, within(500L));
        assertThat(summary.cachedTokens()).isZero();
        assertThat(summary.endpoints()).containsOnlyKeys(simulator.url());
        assertThat(summary.itlMillis().max()).isGreaterThan(5);
        assertThat(summary.e2eMillis().p50()).isGreaterThan(19 * 10);
        assertThat(summary.seconds()).isGreaterThan(0.495);
        assertThat(last.getLast().ended()).isEqualTo(100);
    }

    @Test
    void writesTheAgreedJson() throws IOException {
        start(FAST);
        JsonNode json = Replay.run(config(), calls(3, 1, 2), ReplayListener.SILENT).toJson();
        for (String field : List.of("calls", "ok", "failed", "shed", "cancelled", "seconds")) {
            assertThat(json.path(field).isNumber()).as(field).isTrue();
        }
        for (String field : List.of("ttft_ms", "itl_ms", "e2e_ms")) {
            for (String quantile : List.of("p50", "p95", "p99", "max")) {
                assertThat(json.path(field).path(quantile).isNumber()).as(field).isTrue();
            }
        }
        assertThat(json.path("endpoints").path(simulator.url()).asLong()).isEqualTo(3);
    }

    @Test
    void countsTheQueueOfASlowServerFromTheIntendedStart() throws IOException {
        start(FAST.withModel(FAST.model().withSlots(1).withItl(Duration.ofMillis(10))));
        ReplaySummary summary = Replay.run(config(), calls(10, 1, 11), ReplayListener.SILENT);
        assertThat(summary.ok()).isEqualTo(10);
        assertThat(summary.ttftMillis().max()).isGreaterThan(9 * 100);
        assertThat(summary.peakInFlight()).isEqualTo(10);
    }

    @Test
    void givesEqualBlocksEqualText() throws IOException {
        start(FAST);
        var calls = new ArrayList<TraceCall>();
        for (int i = 0; i < 5; i++) {
            calls.add(
                    new TraceCall(
                            Duration.ofMillis(i * 20L), 1_200, 2, null, List.of(1L, 2L, 10L + i)));
        }
        ReplaySummary summary = Replay.run(config(), calls, ReplayListener.SILENT);
        assertThat(summary.cachedTokens()).isBetween(4 * 1_008L, 4 * 1_040L);
    }

    @Test
    void tellsCutStreamsErrorsAndShedCallsApart() throws IOException {
        start(FAST);
        assertThat(with("truncate").failures()).containsOnlyKeys("cut");
        assertThat(with("reset").failures()).containsOnlyKeys("cut");
        assertThat(with("error").failures()).containsOnlyKeys("status_500");
        assertThat(with("error").failures().get("status_500").example()).contains("on purpose");
        assertThat(with("close").failures()).containsOnlyKeys("no_answer");
        assertThat(with("garbage").failed()).isEqualTo(10);
        assertThat(with("refuse").shed()).isEqualTo(10);
        assertThat(with("status=503").shed()).isEqualTo(10);
        assertThat(with("slow=1").ok()).isEqualTo(10);
    }

    @Test
    void givesUpOnCallsThatNeverEnd() throws IOException {
        start(FAST.withFaults(Faults.parse(List.of("stall"))));
        ReplaySummary summary =
                Replay.run(
                        config().withTimeout(Duration.ofMillis(300)),
                        calls(5, 1, 5),
                        ReplayListener.SILENT);
        assertThat(summary.failures().get("timeout").count()).isEqualTo(5);
    }

    @Test
    void leavesTheShareOfStreamsThatItShould() throws IOException {
        start(FAST);
        ReplaySummary summary =
                Replay.run(config().withAbortShare(0.3), calls(100, 2, 20), ReplayListener.SILENT);
        assertThat(summary.cancelled()).isBetween(15L, 45L);
        assertThat(summary.ok() + summary.cancelled()).isEqualTo(100);
    }

    @Test
    void reportsAServerThatIsNotThere() throws IOException {
        start(FAST);
        ReplayConfig config = config();
        simulator.close();
        assertThatThrownBy(() -> Replay.run(config, calls(1, 1, 1), ReplayListener.SILENT))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("nothing answers at");
        ReplaySummary summary =
                Replay.run(config.withModel("m"), calls(3, 1, 1), ReplayListener.SILENT);
        assertThat(summary.failures().get("connect").count()).isEqualTo(3);
        assertThat(summary.ttftMillis()).isNull();
    }

    @Test
    void stopsWhenAsked() throws IOException {
        start(FAST);
        Replay replay = Replay.start(config(), calls(1_000, 1_000, 50), ReplayListener.SILENT);
        replay.stop();
        assertThat(replay.await().calls()).isLessThan(1_000);
    }

    @Test
    void seesEveryStreamBreakWhenTheReplicaCrashes() throws IOException {
        start(
                FAST.withModel(FAST.model().withItl(Duration.ofMillis(20)))
                        .withFaults(Faults.parse(List.of("crash-after=400ms"))));
        ReplaySummary summary = Replay.run(config(), calls(10, 1, 500), ReplayListener.SILENT);
        assertThat(summary.failures().get("cut").count()).isEqualTo(10);
        assertThat(simulator.ended().toCompletableFuture().join())
                .isEqualTo(Simulator.Ending.CRASHED);
    }

    private ReplaySummary with(String fault) throws IOException {
        simulator.faults(Faults.parse(List.of(fault)));
        return Replay.run(config(), calls(10, 1, 5), ReplayListener.SILENT);
    }

    private void start(SimulatorConfig config) throws IOException {
        simulator = Simulator.start(config);
    }

    private ReplayConfig config() {
        return ReplayConfig.of(URI.create(simulator.url()));
    }

    private static List<TraceCall> calls(int count, long gapMillis, int outputTokens) {
        var out = new ArrayList<TraceCall>();
        for (int i = 0; i < count; i++) {
            out.add(
                    new TraceCall(
                            Duration.ofMillis(i * gapMillis), 100, outputTokens, null, List.of()));
        }
        return out;
    }
}
