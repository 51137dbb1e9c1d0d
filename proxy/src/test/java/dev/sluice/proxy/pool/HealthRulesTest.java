package dev.sluice.proxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.pool.HealthState.Degraded;
import dev.sluice.proxy.pool.HealthState.Draining;
import dev.sluice.proxy.pool.HealthState.Healthy;
import dev.sluice.proxy.pool.HealthState.Starting;
import dev.sluice.proxy.pool.HealthState.Unhealthy;
import dev.sluice.proxy.pool.Observations.Probes;
import dev.sluice.proxy.pool.Observations.Trial;
import dev.sluice.shared.EngineLoad;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.stream.Stream;

/// The rules of the health document, line by line.
class HealthRulesTest {
    private static final long S = 1_000_000_000L;
    private static final HealthConfig CONFIG = HealthConfig.DEFAULT;
    private static final Healthy HEALTHY = new Healthy("test", 0, null, 0);

    private static Stream<Arguments> degrades() {
        return Stream.of(
                row("error rate 6%", seen().recent(100, 6)),
                row("TTFT 900ms against the pool's 200ms", seen().ttft(900, 200)),
                row("ITL 60ms against the pool's 20ms", seen().gap(60, 20)),
                row("KV cache 92% full", seen().load(null, null, 0.92)),
                row("5 waiting in the engine", seen().load(20.0, 5.0, null)),
                row("metrics older than 3000ms", seen().stale()),
                row("failed probe: no answer", seen().probes(0, 1, "no answer")),
                row("asked for a pause (429 or 503)", seen().cooling()),
                row("2.0 preemptions/s", seen().preempting(2)));
    }

    private static Stream<Arguments> doesNotDegrade() {
        return Stream.of(
                row("9 requests are too few", seen().recent(9, 4)),
                row("4 % of errors", seen().recent(100, 4)),
                row("three times a small TTFT", seen().ttft(90, 20)),
                row("half a second over a long TTFT", seen().ttft(4_600, 4_000)),
                row("nothing is reported", seen().load(null, null, null)),
                row("little waiting beside much running", seen().load(64.0, 6.0, null)),
                row("4 waiting", seen().load(0.0, 4.0, null)));
    }

    private static Stream<Arguments> ejects() {
        return Stream.of(
                row("2 refused connections in a row", seen().refused(2)),
                row("3 failed probes: silent", seen().probes(0, 3, "silent")),
                row("5 failures in a row", seen().failing(5)),
                row("error rate 50%", seen().recent(10, 5)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void degrades(String reason, Seen seen) {
        HealthState first = next(HEALTHY, seen, 10 * S);
        assertThat(first).isInstanceOf(Healthy.class);
        HealthState second = next(first, seen, 11 * S);
        assertThat(second).isInstanceOf(Degraded.class);
        assertThat(second.reason()).isEqualTo(reason);
        assertThat(second.sinceNanos()).isEqualTo(11 * S);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void doesNotDegrade(String why, Seen seen) {
        HealthState first = next(HEALTHY, seen, 10 * S);
        assertThat(next(first, seen, 20 * S)).as(why).isEqualTo(HEALTHY);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void ejects(String reason, Seen seen) {
        for (HealthState from : new HealthState[] {HEALTHY, degraded()}) {
            HealthState after = next(from, seen, 10 * S);
            assertThat(after).isInstanceOf(Unhealthy.class);
            assertThat(after.reason()).isEqualTo(reason);
        }
    }

    @Test
    void statisticsNeverEjectMoreThanHalfButFactsDo() {
        assertThat(next(HEALTHY, seen().failing(5).halfIsOut(), S)).isInstanceOf(Healthy.class);
        assertThat(next(HEALTHY, seen().recent(10, 9).halfIsOut(), S)).isInstanceOf(Healthy.class);
        assertThat(next(HEALTHY, seen().refused(2).halfIsOut(), S)).isInstanceOf(Unhealthy.class);
        assertThat(next(HEALTHY, seen().probes(0, 3, "x").halfIsOut(), S))
                .isInstanceOf(Unhealthy.class);
    }

    @Test
    void leavesDegradedAfterFiveSecondsBelowSeventyPercent() {
        HealthState state = degraded();
        state = next(state, seen().load(null, null, 0.7), 10 * S);
        state = next(state, seen().load(null, null, 0.7), 20 * S);
        assertThat(state).as("0.7 is above 0.63").isInstanceOf(Degraded.class);
        state = next(state, seen().load(null, null, 0.6), 21 * S);
        state = next(state, seen().load(null, null, 0.6), 25 * S);
        assertThat(state).as("4 s of calm").isInstanceOf(Degraded.class);
        state = next(state, seen().load(null, null, 0.65), 25 * S);
        state = next(state, seen().load(null, null, 0.6), 26 * S);
        state = next(state, seen().load(null, null, 0.6), 30 * S);
        assertThat(state).as("the calm began anew").isInstanceOf(Degraded.class);
        assertThat(next(state, seen(), 31 * S)).isInstanceOf(Healthy.class);
    }

    @Test
    void getsASmallerShareTheMoreSpeaksAgainstIt() {
        HealthState one = next(degraded(), seen().stale(), S);
        HealthState two = next(degraded(), seen().stale().cooling(), S);
        assertThat(((Degraded) one).weight()).isEqualTo(0.5);
        assertThat(((Degraded) two).weight()).isEqualTo(0.25);
    }

    @Test
    void aPassingProbeAloneNeverClearsAPassiveFailure() {
        HealthState out = next(HEALTHY, seen().refused(2), 0);
        assertThat(next(out, seen().probes(50, 0, ""), 400 * S)).isEqualTo(out);
        assertThat(next(out, seen().trial(Trial.SUCCEEDED), 6 * S)).isInstanceOf(Healthy.class);
    }

    @Test
    void answeredProbesBringBackWhatOnlyProbesPutOut() {
        HealthState out = next(HEALTHY, seen().probes(0, 3, "x"), 0);
        assertThat(next(out, seen().probes(1, 0, ""), S)).isEqualTo(out);
        assertThat(next(out, seen().probes(2, 0, ""), S)).isInstanceOf(Healthy.class);
    }

    @Test
    void lateProbesOfAnEndpointWhoseTokensFlowDegradeAndNeverEject() {
        Seen once = seen().silent(1, true);
        assertThat(next(next(HEALTHY, once, 0), once, 2 * S)).isInstanceOf(Healthy.class);
        Seen often = seen().silent(30, true);
        HealthState state = next(next(HEALTHY, often, 0), often, 2 * S);
        assertThat(state).isInstanceOf(Degraded.class);
        assertThat(next(state, often, 60 * S)).isInstanceOf(Degraded.class);
        assertThat(next(state, seen().silent(30, false), 61 * S)).isInstanceOf(Unhealthy.class);
        Seen refused = new Seen(with(often.it, new Probes(0, 3, "refused", false, false)));
        assertThat(next(HEALTHY, refused, S)).isInstanceOf(Unhealthy.class);
    }

    private static Observations with(Observations it, Probes probes) {
        return new Observations(
                null,
                probes,
                0,
                0,
                Trial.NONE,
                it.recent(),
                null,
                null,
                null,
                false,
                0,
                false,
                true,
                it.progressing());
    }

    @Test
    void requestsAddTheirEvidenceToThatOfProbes() {
        HealthState out = next(HEALTHY, seen().probes(0, 3, "x"), 0);
        HealthState worse = next(out, seen().refused(2), S);
        assertThat(((Unhealthy) worse).trialAt()).isEqualTo(6 * S);
        assertThat(next(worse, seen().probes(9, 0, ""), 60 * S)).isEqualTo(worse);
    }

    @Test
    void ejectionsDoubleUpToFiveMinutes() {
        assertThat(Stream.of(1, 2, 3, 6, 7, 60).map(n -> HealthRules.ejection(n, CONFIG) / S))
                .containsExactly(5L, 10L, 20L, 160L, 300L, 300L);
        Unhealthy out = (Unhealthy) next(HEALTHY, seen().refused(2), 0);
        assertThat(out.trialAt()).isEqualTo(5 * S);
        Unhealthy again = (Unhealthy) next(out, seen().trial(Trial.FAILED), 6 * S);
        assertThat(again.trialAt()).isEqualTo(16 * S);
        assertThat(again.ejections()).isEqualTo(2);
    }

    @Test
    void aTrialByPanicThatFailsDoesNotLengthenTheEjection() {
        HealthState out = next(HEALTHY, seen().refused(2), 0);
        assertThat(next(out, seen().trial(Trial.FAILED), 2 * S)).isEqualTo(out);
    }

    @Test
    void forgetsEjectionsAfterALongHealth() {
        Healthy returned = new Healthy("back", 0, null, 3);
        assertThat(next(returned, seen(), 299 * S)).isEqualTo(returned);
        assertThat(((Healthy) next(returned, seen(), 300 * S)).ejections()).isZero();
    }

    @Test
    void startsWithItsFirstPassedProbeHoweverLongItLoads() {
        HealthState state = new Starting("not probed yet", 0);
        state = next(state, seen().probes(0, 500, "health answers 503"), 900 * S);
        assertThat(state).isInstanceOf(Starting.class);
        assertThat(state.reason()).isEqualTo("not ready yet: health answers 503");
        assertThat(state.sinceNanos()).isZero();
        assertThat(next(state, seen().probes(1, 0, ""), 901 * S)).isInstanceOf(Healthy.class);
    }

    @Test
    void aDrainCoversTheStateBelowWhichGoesOn() {
        HealthState draining = next(HEALTHY, seen().drained(), S);
        assertThat(draining).isInstanceOf(Draining.class);
        draining = next(draining, seen().drained().refused(2), 2 * S);
        assertThat(((Draining) draining).under()).isInstanceOf(Unhealthy.class);
        assertThat(draining.sinceNanos()).isEqualTo(S);
        assertThat(next(draining, seen(), 3 * S)).isInstanceOf(Unhealthy.class);
    }

    private static HealthState degraded() {
        return new Degraded("before", 0, null, 0.5, 0);
    }

    private static HealthState next(HealthState state, Seen seen, long now) {
        return HealthRules.next(state, seen.it, CONFIG, now);
    }

    private static Arguments row(String text, Seen seen) {
        return Arguments.of(text, seen);
    }

    private static Seen seen() {
        return new Seen(
                new Observations(
                        null,
                        new Probes(1, 0, "", true, false),
                        0,
                        0,
                        Trial.NONE,
                        Recent.NOTHING,
                        null,
                        null,
                        null,
                        false,
                        0,
                        false,
                        true,
                        false));
    }

    /// Observations without anything to see, with one thing changed.
    record Seen(Observations it) {
        Seen recent(int requests, int failures) {
            return recent(new Recent(requests, failures, null, null, 0, 0), null, null);
        }

        Seen ttft(double own, double pool) {
            return recent(new Recent(3, 0, own * 1e6, null, 0, 0), pool * 1e6, null);
        }

        Seen gap(double own, double pool) {
            return recent(new Recent(3, 0, null, own * 1e6, 0, 0), null, pool * 1e6);
        }

        Seen load(Double running, Double waiting, Double kv) {
            return with(new EngineLoad(running, waiting, kv, null), it.stale(), 0, it.cooling());
        }

        Seen stale() {
            return with(null, true, 0, it.cooling());
        }

        Seen preempting(double perSecond) {
            return with(EngineLoad.NONE, false, perSecond, false);
        }

        Seen cooling() {
            return with(it.load(), it.stale(), 0, true);
        }

        Seen probes(int passes, int failures, String last) {
            return hard(new Probes(passes, failures, last, true, false), 0, 0, Trial.NONE, false);
        }

        Seen silent(int failures, boolean progressing) {
            return new Seen(
                    new Observations(
                            null,
                            new Probes(0, failures, "no answer", true, true),
                            0,
                            0,
                            Trial.NONE,
                            Recent.NOTHING,
                            null,
                            null,
                            null,
                            false,
                            0,
                            false,
                            true,
                            progressing));
        }

        Seen refused(int n) {
            return hard(it.probes(), n, 0, Trial.NONE, it.drained() != null);
        }

        Seen failing(int n) {
            return hard(it.probes(), 0, n, Trial.NONE, false);
        }

        Seen trial(Trial trial) {
            return hard(it.probes(), 0, 0, trial, false);
        }

        Seen drained() {
            return hard(it.probes(), 0, 0, Trial.NONE, true);
        }

        Seen halfIsOut() {
            return new Seen(
                    new Observations(
                            null,
                            it.probes(),
                            it.refusedInARow(),
                            it.failuresInARow(),
                            it.trial(),
                            it.recent(),
                            null,
                            null,
                            null,
                            false,
                            0,
                            false,
                            false,
                            false));
        }

        private Seen hard(Probes probes, int refused, int failing, Trial trial, boolean drained) {
            return new Seen(
                    new Observations(
                            drained ? "drained by request" : null,
                            probes,
                            refused,
                            failing,
                            trial,
                            Recent.NOTHING,
                            null,
                            null,
                            null,
                            false,
                            0,
                            false,
                            true,
                            false));
        }

        private Seen recent(Recent recent, Double ttft, Double gap) {
            return new Seen(
                    new Observations(
                            null,
                            it.probes(),
                            0,
                            0,
                            Trial.NONE,
                            recent,
                            ttft,
                            gap,
                            null,
                            false,
                            0,
                            false,
                            true,
                            false));
        }

        private Seen with(EngineLoad load, boolean stale, double preemptions, boolean cooling) {
            return new Seen(
                    new Observations(
                            null,
                            it.probes(),
                            0,
                            0,
                            Trial.NONE,
                            Recent.NOTHING,
                            null,
                            null,
                            load,
                            stale,
                            preemptions,
                            cooling,
                            true,
                            false));
        }
    }
}
