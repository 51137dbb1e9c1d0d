package dev.sluice.autoscaler.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.autoscaler.kubernetes.Pods.View;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

/// Clocks differ: the server's is `skew` ahead of ours.
class SightingsTest {
    private static final long NOW = 100_000_000;
    private final Sightings sightings = new Sightings();

    /// Born and ready 60 s and 20 s before our first look, as the server dates it.
    @ParameterizedTest(name = "server ahead by {0} ms")
    @CsvSource({
        "0,        -60000,   -20000",
        "3600000,  0,        0", // its dates are in our future: never later than now
        "-3600000, -3660000, -3620000",
    })
    void whatWasThereAtTheFirstLookIsDatedByTheServer(long skew, long exists, long ready) {
        View pod = pod(NOW - 60_000 + skew, NOW - 20_000 + skew, null);
        sightings.look(List.of(pod), 0, NOW);
        sightings.look(List.of(pod), 0, NOW + 5_000); // stays where it was
        assertThat(sightings.of(pod).existsMs()).isEqualTo(NOW + exists);
        assertThat(sightings.of(pod).readyMs()).isEqualTo(NOW + ready);
    }

    @ParameterizedTest(name = "server ahead by {0} ms")
    @CsvSource({"0", "3600000", "-3600000"})
    void whatComesLaterIsDatedByOurClock(long skew) {
        sightings.look(List.of(), 0, NOW);
        sightings.look(List.of(pod(NOW + skew, null, null)), 0, NOW + 1_000);
        View ready = pod(NOW + skew, NOW + 30_000 + skew, null);
        sightings.look(List.of(ready), 0, NOW + 31_000);
        sightings.look(List.of(ready), 0, NOW + 90_000);
        assertThat(sightings.of(ready).existsMs()).isEqualTo(NOW + 1_000);
        assertThat(sightings.of(ready).readyMs()).isEqualTo(NOW + 31_000);
    }

    @ParameterizedTest(name = "the autoscaler before us was ahead by {0} ms")
    @CsvSource({"0", "3600000", "-3600000"})
    void aDrainsLimitCountsFromOurFirstSightOfIt(long skew) {
        View draining = pod(NOW - 900_000, NOW - 800_000, NOW - 5_000 + skew);
        sightings.look(List.of(draining), 0, NOW);
        sightings.look(List.of(draining), 0, NOW + 40_000);
        assertThat(sightings.of(draining).markedMs()).isEqualTo(NOW);
    }

    @Test
    void aPodThatIsTakenBackAndMarkedAgainBeginsAnew() {
        sightings.look(List.of(pod(NOW, NOW, NOW)), 0, NOW);
        sightings.look(List.of(pod(NOW, NOW, null)), 0, NOW + 10_000);
        View again = pod(NOW, NOW, NOW + 20_000);
        sightings.look(List.of(again), 0, NOW + 20_000);
        assertThat(sightings.of(again).markedMs()).isEqualTo(NOW + 20_000);
    }

    @Test
    void missingPodsKeepTheirAge() {
        sightings.look(List.of(), 1, NOW);
        sightings.look(List.of(), 3, NOW + 1_000);
        assertThat(sightings.missingSinceMs()).containsExactly(NOW, NOW + 1_000, NOW + 1_000);
        sightings.look(List.of(), 1, NOW + 2_000);
        assertThat(sightings.missingSinceMs()).containsExactly(NOW);
    }

    private static View pod(long createdMs, Long readyMs, Long markedMs) {
        return new View(
                "a", "a", null, createdMs, readyMs, false, markedMs, false, "", "1", 0, null, null);
    }
}
