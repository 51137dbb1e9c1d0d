package dev.sluice.simulator.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.simulator.trace.Workload.Lengths;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.List;

class WorkloadTest {
    private static final Workload BURSTY =
            new Workload(
                    20,
                    2.5,
                    Lengths.of(1_000, 4_000),
                    Lengths.of(130, 600),
                    Duration.ofHours(1),
                    0,
                    Duration.ofHours(1),
                    7);

    @Test
    void drawsTheRateTheBurstsAndTheLengthsAskedFor() {
        Workload found = Workload.like(BURSTY.calls(), 1);
        assertThat(found.callsPerSecond()).isCloseTo(20, within(1.0));
        assertThat(found.gapCv()).isCloseTo(2.5, within(0.15));
        assertThat(found.input().median()).isCloseTo(1_000, within(20.0));
        assertThat(found.output().sigma()).isCloseTo(BURSTY.output().sigma(), within(0.02));
    }

    @Test
    void drawsTheSameCallsFromTheSameSeed() {
        assertThat(BURSTY.calls()).isEqualTo(BURSTY.calls());
    }

    @Test
    void risesFromTheValleyToThePeak() {
        var wave =
                new Workload(
                        20,
                        1,
                        BURSTY.input(),
                        BURSTY.output(),
                        Duration.ofMinutes(10),
                        0.8,
                        Duration.ofMinutes(10),
                        7);
        List<TraceCall> calls = wave.calls();
        long valley = between(calls, 0, 1);
        long peak = between(calls, 4.5, 5.5);
        assertThat(peak).isGreaterThan(4 * valley);
    }

    private static long between(List<TraceCall> calls, double from, double to) {
        return calls.stream()
                .mapToDouble(c -> c.arrival().toMillis() / 60_000.0)
                .filter(minute -> minute >= from && minute < to)
                .count();
    }
}
