package dev.sluice.autoscaler.decision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.autoscaler.decision.History.Step;

import org.junit.jupiter.api.Test;

import java.util.List;

class HistoryTest {
    private static final long KEEP_MS = 60_000;

    @Test
    void aRowOfEqualStepsIsRememberedByItsEnds() {
        History h = steady(History.EMPTY, 0, 40_000, 4);
        h = steady(h, 42_000, 50_000, 2);
        assertThat(h.steps())
                .containsExactly(
                        new Step(0, 4, 3, 3),
                        new Step(40_000, 4, 3, 3),
                        new Step(42_000, 2, 3, 3),
                        new Step(50_000, 2, 3, 3));
        assertThat(h.maxNeed(40_000)).isEqualTo(4); // the last of them was then
        assertThat(h.maxNeed(40_001)).isEqualTo(2);
    }

    @Test
    void reachesAsFarBackAsItKeepsHoweverLongNothingChanged() {
        History h = steady(History.EMPTY, 0, 500_000, 4);
        assertThat(h.reaches(500_000 - KEEP_MS)).isTrue();
        assertThat(h.steps()).hasSizeLessThanOrEqualTo(3);
    }

    @Test
    void forgetsWhatIsOlderThanItKeeps() {
        History h = steady(History.EMPTY, 0, 10_000, 9);
        h = steady(h, 12_000, 200_000, 4);
        assertThat(h.maxNeed(0)).isEqualTo(4);
    }

    @Test
    void changesBackAndForthWithinTenMinutesAreReversals() {
        var h =
                new History(
                        List.of(
                                new Step(0, 4, 3, 4),
                                new Step(500_000, 3, 4, 3), // one
                                new Step(600_000, 2, 3, 2), // the same direction
                                new Step(1_300_000, 3, 2, 3))); // too long after
        assertThat(h.reversals(1_300_000)).isEqualTo(1);
        assertThat(h.reversals(4_000_001)).isZero(); // an hour later
    }

    /// A look each two seconds at three replicas, of which so many are needed.
    private static History steady(History h, long fromMs, long toMs, int need) {
        for (long ms = fromMs; ms <= toMs; ms += 2_000) {
            h = h.with(new Step(ms, need, 3, 3), KEEP_MS);
        }
        return h;
    }
}
