package dev.sluice.simulator.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.simulator.evaluation.Evaluation.Report;
import dev.sluice.simulator.evaluation.Scenario.ColdStart;
import dev.sluice.simulator.replica.ReplicaModel;
import dev.sluice.simulator.trace.TraceCall;
import dev.sluice.simulator.trace.Workload;
import dev.sluice.simulator.trace.Workload.Lengths;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

class EvaluationTest {
    private static final ReplicaModel L4 = ReplicaModel.PROFILES.get("l4");

    /// Two waves in an hour and a half, a swing of one to four replicas.
    private static final List<TraceCall> WAVES = waves(Duration.ofMinutes(90), 0.6, 0.7);

    private final Scenario scenario = Scenario.of(L4, 1, 8);

    @Test
    void theSameSeedMakesTheSameRun() {
        assertThat(sluice(WAVES, scenario, 3)).isEqualTo(sluice(WAVES, scenario, 3));
        assertThat(sluice(WAVES, scenario, 3)).isNotEqualTo(sluice(WAVES, scenario, 4));
    }

    @Test
    void nobodyBeatsWhoKnowsTheFuture() throws InterruptedException {
        List<Contender> all =
                Contender.NAMES.stream().map(name -> Contender.of(name, scenario)).toList();
        List<TraceCall> wave = waves(Duration.ofMinutes(40), 0.6, 0.7);
        Report report = new Evaluation(wave, scenario, 1, runs -> {}).run(all);
        assertThat(report.oracle().attainment()).isGreaterThanOrEqualTo(Evaluation.GOAL);
        for (Point p : report.points()) {
            if (!p.name().equals("constant")
                    && p.attainment() >= report.oracleAtGoal().attainment()) {
                assertThat(p.hours())
                        .as(p.name())
                        .isGreaterThanOrEqualTo(report.oracleAtGoal().hours());
            }
        }
        Point sluice =
                report.usual().stream()
                        .filter(p -> p.name().equals("sluice"))
                        .findFirst()
                        .orElseThrow();
        assertThat(report.oracle().attainment()).isGreaterThanOrEqualTo(sluice.attainment());
        assertThat(report.oracle().hours()).isLessThanOrEqualTo(sluice.hours());
        assertThat(report.workBoundHours()).isLessThan(report.oracle().hours());
        assertThat(sluice.attainment())
                .isGreaterThan(report.of("keda_waiting").get(4).attainment());
    }

    @Test
    void scaleDownCutsNoStream() {
        Outcome o = sluice(WAVES, scenario.withoutCrashes(), 1);
        assertThat(o.cutStreams()).isZero();
        assertThat(o.saturated()).isZero();
    }

    @Test
    void aConstantFleetIsBilledForTheWholeTime() {
        Calls calls = Calls.of(WAVES, 1);
        var day = new Day(calls, scenario, new Baselines.Constant(3), 3, 1);
        assertThat(day.run().replicaHours()).isEqualTo(3 * calls.lastMs() / 3.6e6);
    }

    @Test
    void everyRuleThatMovesBeginsWithTheSameNumber() throws InterruptedException {
        Scenario ran = scenario.withoutCrashes().beginningWith(5);
        Contender hpa = Contender.of("hpa_in_flight", ran);
        Contender constant = Contender.of("constant", ran);
        var evaluation = new Evaluation(WAVES, ran, 1, runs -> {});
        assertThat(evaluation.samples(hpa).at(Samples.Column.READY, 0)).isEqualTo(5);
        assertThat(evaluation.samples(Contender.of("sluice", ran)).at(Samples.Column.READY, 0))
                .isEqualTo(5);
        Report report = evaluation.usual(List.of(constant));
        assertThat(report.of("constant").getFirst().hours())
                .isEqualTo(report.span().toMillis() / 3.6e6, within(1e-6));
    }

    @Test
    void theFirstMinuteSaysWithHowManyAServiceRan() {
        Scenario wide = Scenario.of(L4, 1, 40);
        assertThat(FirstMinute.replicas(List.of(call(Duration.ZERO)), wide)).isEqualTo(2);
        // a call is 305 ms of reading and 49 tokens of 64.6 ms: 3.2 s; 480 a minute are 26 in
        // flight
        List<TraceCall> full =
                IntStream.range(0, 480).mapToObj(i -> call(Duration.ofMillis(i * 125L))).toList();
        assertThat(FirstMinute.replicas(full, wide)).isEqualTo(4); // 26 / (0.8 * 16), and one
        var later = new ArrayList<>(full);
        IntStream.range(0, 9_000).forEach(i -> later.add(call(Duration.ofMillis(60_000 + i))));
        assertThat(FirstMinute.replicas(later, wide)).isEqualTo(4);
        assertThat(FirstMinute.replicas(full, scenario.beginningWith(1))).isEqualTo(4);
        assertThat(FirstMinute.replicas(full, Scenario.of(L4, 1, 3))).isEqualTo(3);
    }

    @Test
    void fiveMinutesWithoutMetricsTakeNobodyAway() {
        Duration at = Duration.ofMinutes(70);
        Scenario blind =
                scenario.withoutCrashes()
                        .withColdStart(ColdStart.of(Duration.ofSeconds(75)))
                        .blind(at, Duration.ofMinutes(5));
        var day = new Day(Calls.of(WAVES, 1), blind, sluiceRule(blind), 1, 1);
        day.run();
        int from = (int) at.toSeconds();
        double before = day.samples().at(Samples.Column.ASKED, from);
        for (int s = from; s < from + 300; s++) {
            assertThat(day.samples().at(Samples.Column.ASKED, s)).isGreaterThanOrEqualTo(before);
        }
    }

    @Test
    void callsHeldWhileThereIsNoReplicaAreServed() {
        Scenario zero = Scenario.of(L4, 0, 4).withoutCrashes();
        List<TraceCall> rare = List.of(call(Duration.ofMinutes(1)), call(Duration.ofMinutes(30)));
        Outcome o = sluice(rare, zero, 1);
        assertThat(o.held()).isEqualTo(2);
        assertThat(o.heldLost()).isZero();
        assertThat(o.replicaHours()).isBetween(0.05, 0.25); // away in between
    }

    @Test
    void spreadsTheCallsOfATraceWithWholeSeconds() {
        List<TraceCall> rounded =
                List.of(
                        call(Duration.ZERO),
                        call(Duration.ofSeconds(3)),
                        call(Duration.ofSeconds(6)));
        Calls calls = Calls.of(rounded, 1);
        assertThat(calls.atMs[1]).isBetween(0.0, 6000.0).isNotEqualTo(3000.0);
    }

    private static Outcome sluice(List<TraceCall> trace, Scenario scenario, long seed) {
        Rule rule = sluiceRule(scenario);
        return new Day(Calls.of(trace, seed), scenario, rule, scenario.min(), seed).run();
    }

    private static Rule sluiceRule(Scenario scenario) {
        return new SluiceRule(Contender.spec(scenario, 1), false);
    }

    private static TraceCall call(Duration at) {
        return new TraceCall(at, 100, 50, null, List.of());
    }

    private static List<TraceCall> waves(Duration length, double perSecond, double depth) {
        return new Workload(
                        perSecond,
                        1.2,
                        Lengths.of(500, 3000),
                        Lengths.of(100, 600),
                        length.dividedBy(2),
                        depth,
                        length,
                        11)
                .calls();
    }
}
