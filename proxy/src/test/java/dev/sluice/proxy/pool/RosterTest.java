package dev.sluice.proxy.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.proxy.pool.HealthState.Unhealthy;
import dev.sluice.proxy.pool.Inspector.Finding;
import dev.sluice.proxy.pool.Offer.Source;
import dev.sluice.proxy.pool.PoolConfig.Cap;
import dev.sluice.proxy.pool.PoolConfig.Weights;
import dev.sluice.shared.EngineKind;
import dev.sluice.shared.EngineLoad;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/// What the control thread makes of its endpoints, with a clock that only the test moves.
class RosterTest {
    private static final long S = 1_000_000_000L;
    private static final Finding ALIVE = alive("m");

    private long now;

    @Test
    void newEndpointsBeginAtFullShareTogetherAndSlowlyAlone() {
        Roster roster = roster(Weights.CONFIGURED, 3);
        passAll(roster);
        assertThat(weights(roster)).containsExactly(1.0, 1.0, 1.0);
        tickTo(roster, 40 * S);
        assertThat(roster.add(Source.REGISTERED, config(4), now)).isTrue();
        pass(roster, 4);
        assertThat(weights(roster)).containsExactly(1.0, 1.0, 1.0, 0.1);
        tickTo(roster, 55 * S);
        assertThat(weights(roster).get(3)).isCloseTo(0.5, within(0.01));
        tickTo(roster, 70 * S);
        assertThat(weights(roster)).containsExactly(1.0, 1.0, 1.0, 1.0);
    }

    @Test
    void ejectsTheBlackHoleButNeverMoreThanHalfByStatistics() {
        Roster roster = roster(Weights.CONFIGURED, 4);
        passAll(roster);
        for (int i = 1; i <= 4; i++) {
            for (int n = 0; n < 10; n++) {
                watch(roster, i).endpoint.ended(AttemptResult.SERVER_ERROR, 1, now);
            }
            roster.judge(watch(roster, i), now);
        }
        roster.publish(now);
        assertThat(labels(roster)).containsExactly("unhealthy", "unhealthy", "healthy", "healthy");
        assertThat(roster.pool.snapshot().usable()).hasSize(2);
    }

    @Test
    void triesAnEjectedEndpointOnceItsTimeHasComeAndItsProbePasses() {
        Roster roster = roster(Weights.CONFIGURED, 2);
        passAll(roster);
        tickTo(roster, 40 * S);
        refuseTwice(roster, 1);
        tickTo(roster, 44 * S);
        assertThat(roster.pool.snapshot().trials()).isEmpty();
        watch(roster, 1).probed(new Finding.Failed("connection refused", false, false));
        tickTo(roster, 46 * S);
        assertThat(roster.pool.snapshot().trials()).as("its probe fails").isEmpty();
        watch(roster, 1).probed(ALIVE);
        tickTo(roster, 47 * S);
        assertThat(roster.pool.snapshot().trials()).hasSize(1);
        watch(roster, 1).trialEnded(AttemptResult.OK);
        roster.judge(watch(roster, 1), now);
        roster.publish(now);
        assertThat(labels(roster)).containsExactly("healthy", "healthy");
        assertThat(weights(roster).getFirst()).as("slow start again").isEqualTo(0.1);
    }

    @Test
    void withNothingLeftTriesTheLeastBadThatTakesConnections() {
        Roster roster = roster(Weights.CONFIGURED, 3);
        passAll(roster);
        for (int i = 1; i <= 3; i++) {
            refuseTwice(roster, i);
        }
        watch(roster, 1).probed(new Finding.Failed("connection refused", false, false));
        watch(roster, 2).trialEnded(AttemptResult.RESET);
        tickTo(roster, 1 * S);
        assertThat(roster.pool.snapshot().usable()).isEmpty();
        assertThat(roster.pool.snapshot().trials())
                .extracting(m -> m.endpoint().id())
                .containsExactly("10.0.0.2:8000");
    }

    @Test
    void usesAStartingEndpointThatTakesConnectionsAndIsSilentOnlyWhenNothingIsLeft() {
        Roster roster = roster(Weights.CONFIGURED, 1);
        roster.tick(now);
        assertThat(roster.pool.snapshot().trials()).as("not asked yet").isEmpty();
        watch(roster, 1).probed(new Finding.Failed("health answers 503", true, false));
        roster.tick(now);
        assertThat(roster.pool.snapshot().trials()).as("it says that it loads").isEmpty();
        watch(roster, 1).probed(new Finding.Failed("no answer", true, true));
        roster.tick(now);
        assertThat(roster.pool.snapshot().trials()).hasSize(1);
    }

    @Test
    void weighsByGoodputWhenAsked() {
        Roster roster = roster(Weights.LIVE, 2);
        passAll(roster);
        done(roster, 1, 10, S);
        assertThat(weights(roster)).as("one is not measured yet").containsExactly(1.0, 1.0);
        done(roster, 2, 10, 4 * S);
        roster.tick(now);
        assertThat(weights(roster).get(0) / weights(roster).get(1)).isCloseTo(4, within(0.01));
    }

    @Test
    void forgetsScrapedLoadThatIsOlderThanThreeIntervals() {
        Roster roster = roster(Weights.CONFIGURED, 1);
        passAll(roster);
        watch(roster, 1).scraped(new EngineLoad(5.0, 1.0, null, null), 2, now);
        tickTo(roster, 2 * S);
        assertThat(roster.pool.snapshot().members().getFirst().foreign()).isEqualTo(4);
        tickTo(roster, 3 * S);
        assertThat(roster.pool.snapshot().members().getFirst().foreign()).isZero();
        tickTo(roster, 5 * S);
        assertThat(labels(roster)).containsExactly("degraded");
    }

    @Test
    void learnsModelsAndSaysWhenTheyDiffer() {
        Roster roster = roster(Weights.CONFIGURED, 2);
        passAll(roster);
        assertThat(roster.pool.snapshot().models()).containsExactly("m");
        assertThat(roster.pool.snapshot().mixed()).isFalse();
        watch(roster, 2).probed(alive("n"));
        roster.tick(now);
        assertThat(roster.pool.snapshot().models()).containsExactlyInAnyOrder("m", "n");
        assertThat(roster.pool.snapshot().mixed()).isTrue();
    }

    @Test
    void comparesAnEndpointWithThePoolsLowerMedian() {
        Roster roster = roster(Weights.CONFIGURED, 2);
        passAll(roster);
        TestPool.ttft(watch(roster, 1).endpoint, 100);
        TestPool.ttft(watch(roster, 2).endpoint, 2_000);
        tickTo(roster, 3 * S);
        assertThat(labels(roster)).containsExactly("healthy", "degraded");
    }

    private Roster roster(Weights weights, int endpoints) {
        var config =
                new PoolConfig(
                        "p",
                        List.of(),
                        Policy.WEIGHTED,
                        weights,
                        List.of(),
                        new Cap.None(),
                        HealthConfig.DEFAULT,
                        QueueConfig.DEFAULT,
                        null);
        var roster = new Roster(TestPool.of(config, () -> now), now);
        IntStream.rangeClosed(1, endpoints)
                .forEach(i -> roster.add(Source.REGISTERED, config(i), now));
        return roster;
    }

    private void tickTo(Roster roster, long until) {
        while (now < until) {
            now += S;
            roster.tick(now);
        }
    }

    private void passAll(Roster roster) {
        for (int i = 1; i <= roster.watches().size(); i++) {
            pass(roster, i);
        }
    }

    private void pass(Roster roster, int number) {
        watch(roster, number).probed(ALIVE);
        roster.judge(watch(roster, number), now);
        roster.publish(now);
    }

    private void refuseTwice(Roster roster, int number) {
        Watch watch = watch(roster, number);
        watch.endpoint.ended(AttemptResult.REFUSED, 1, now);
        watch.endpoint.ended(AttemptResult.REFUSED, 1, now);
        roster.judge(watch, now);
        assertThat(watch.state()).isInstanceOf(Unhealthy.class);
        roster.publish(now);
    }

    private void done(Roster roster, int number, int times, long tookNanos) {
        for (int i = 0; i < times; i++) {
            watch(roster, number).endpoint.ended(AttemptResult.OK, tookNanos, now);
        }
        roster.publish(now);
    }

    private static Watch watch(Roster roster, int number) {
        return roster.find("10.0.0." + number + ":8000");
    }

    private static EndpointConfig config(int number) {
        return new EndpointConfig(TestPool.endpoint(number).address(), 1);
    }

    private static List<Double> weights(Roster roster) {
        return roster.pool.snapshot().members().stream().map(Member::weight).toList();
    }

    private static List<String> labels(Roster roster) {
        return roster.pool.snapshot().members().stream().map(m -> m.health().label()).toList();
    }

    private static Finding alive(String model) {
        return new Finding.Alive(new Engine(EngineKind.PLAIN, "", null, Set.of(model)));
    }
}
