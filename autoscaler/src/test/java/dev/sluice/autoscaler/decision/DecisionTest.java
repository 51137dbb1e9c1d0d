package dev.sluice.autoscaler.decision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.autoscaler.signal.Condition;
import dev.sluice.autoscaler.signal.Observation.EndpointSample;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.autoscaler.signal.Replicas.Replica;
import dev.sluice.autoscaler.signal.Replicas.State;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Reads like docs/autoscaling.md; slots per replica are 8 unless a test says otherwise.
class DecisionTest {
    private static final String SPEC =
            "min: 2\nmax: 10\nload: {spare: 1}\nscaleDown: {window: 60s, drain: 60s}";
    private static final String RULES =
            "min: 2\nmax: 10\nload: {enabled: false}\nscaleDown: {window: 10s, drain: 60s}";
    private static final String ZERO =
            "min: 0\nmax: 4\nload: {spare: 0}\nscaleDown: {window: 60s, drain: 60s}\n"
                    + "scaleToZero: {enabled: true, idle: 300s}";

    /// What happens | who decides | ready | work | cpu | failed % | saturated % | replicas |
    /// reason.
    @ParameterizedTest(name = "{index}: {0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    CPU above 0.8: +2                      | rules | 2  | 0  | 0.85 | 0  | 0  | 4  | cpu-high
                    CPU at 0.8 is not above it             | rules | 4  | 0  | 0.80 | 0  | 0  | 4  | steady
                    +2 ends at max                         | rules | 9  | 0  | 0.95 | 0  | 0  | 10 | cpu-high
                    at max nothing goes up                 | rules | 10 | 0  | 0.95 | 0  | 0  | 10 | at-max
                    error rate above 0.05: +2              | rules | 2  | 8  | 0.50 | 0  | 6  | 4  | errors-saturation
                    error rate at 0.05 is not above it     | rules | 2  | 8  | 0.50 | 0  | 5  | 2  | steady
                    CPU and errors low: -1                 | rules | 5  | 0  | 0.10 | 0  | 0  | 4  | cpu-low
                    CPU low, errors at 2 %: hold           | rules | 5  | 0  | 0.10 | 2  | 0  | 5  | steady
                    never below min                        | rules | 2  | 0  | 0.10 | 0  | 0  | 2  | steady
                    # the load driver
                    the work fits, with the spare          | load  | 3  | 16 | 0.50 | 0  | 0  | 3  | steady
                    one call more asks for one more        | load  | 3  | 17 | 0.50 | 0  | 0  | 4  | load
                    at most doubling                       | load  | 2  | 56 | 0.50 | 0  | 0  | 4  | load
                    max binds                              | load  | 8  | 99 | 0.50 | 0  | 0  | 10 | load
                    less work: one at a time               | load  | 8  | 8  | 0.50 | 0  | 0  | 7  | load-low
                    low CPU removes nobody the load needs  | load  | 5  | 32 | 0.05 | 0  | 0  | 5  | steady
                    high CPU under ordinary load: +2       | load  | 3  | 16 | 0.90 | 0  | 0  | 5  | cpu-high
                    high CPU keeps everyone                | load  | 10 | 16 | 0.90 | 0  | 0  | 10 | at-max
                    # the error guard
                    refused for want of capacity: +2       | load  | 3  | 16 | 0.50 | 0  | 20 | 5  | errors-saturation
                    failures of overloaded replicas: +2    | load  | 3  | 25 | 0.50 | 20 | 0  | 5  | errors-overload
                    failures under ordinary load: hold     | load  | 3  | 16 | 0.50 | 20 | 0  | 3  | errors-not-load
                    ... also when fewer would do           | load  | 8  | 8  | 0.50 | 20 | 0  | 8  | errors-not-load
                    ... and load is served all the same    | load  | 3  | 20 | 0.50 | 20 | 0  | 4  | load
                    """)
    void decides(
            String name,
            String spec,
            int ready,
            int work,
            double cpu,
            int failed,
            int saturated,
            int expected,
            String reason) {
        var s = new Story(spec.equals("rules") ? RULES : SPEC).ready(ready).work(work).quietPast();
        s.cpu = cpu;
        s.completed = 100L - failed - saturated;
        s.failed = failed;
        s.saturated = saturated;
        s.see();
        Recommendation r = s.look();
        assertThat(r.replicas()).as(r.message()).isEqualTo(expected);
        assertThat(r.binding().word()).as(r.message()).isEqualTo(reason);
    }

    @Test
    void answersOneDeficitOnce() {
        var s = new Story(SPEC).ready(2).work(24);
        s.run(50); // nothing becomes ready meanwhile
        assertThat(s.path()).containsExactly(4);
        assertThat(s.told.getLast().binding()).isEqualTo(Reason.PENDING);
    }

    @Test
    void cpuRuleDoesNotAddAgainWhileItsReplicasStart() {
        var s = new Story(RULES).ready(2);
        s.cpu = 0.95;
        s.run(100);
        assertThat(s.asked()).isEqualTo(4);
        s.started();
        s.run(10);
        assertThat(s.asked()).isEqualTo(6); // still too busy with four: a new deficit
    }

    @Test
    void doesNotSwingUnderConstantLoad() {
        var s = new Story("min: 1\nmax: 5\nscaleDown: {window: 60s}\nload: {spare: 0}").ready(1);
        for (int i = 0; i < 600; i++) {
            s.work(i % 7 == 0 ? 9 : 8); // around the mark between one and two
            s.look();
            s.started();
        }
        assertThat(s.path()).hasSizeLessThanOrEqualTo(2);
    }

    @Test
    void goesPastDoublingWhenCallsWaitTooLong() {
        var s = new Story(SPEC).ready(2).work(56);
        s.oldestQueuedMs = 5_000;
        Recommendation r = s.look();
        assertThat(r.replicas()).isEqualTo(8);
        assertThat(r.reason()).isEqualTo(Reason.QUEUE_WAIT);
    }

    @Test
    void overdueReplicaStopsCountingAndFreezesNobody() {
        var s = new Story(SPEC).ready(2).starting(1).work(16);
        assertThat(s.run(230).replicas()).isEqualTo(3);
        Recommendation r = s.run(20); // past twice the p99 of 120 s
        assertThat(r.replicas()).isEqualTo(4);
        assertThat(types(r)).contains("StartOverdue");
        s.run(600);
        assertThat(s.asked()).isLessThanOrEqualTo(5); // its replacements are as slow: bounded
    }

    @Test
    void aLateReplicaCountsOnceItIsReady() {
        var s = new Story(SPEC).ready(2).starting(1).work(16); // need 3
        s.run(300); // reported as overdue, and one more was started
        assertThat(s.asked()).isEqualTo(4);
        s.started();
        Recommendation r = s.run(300);
        assertThat(types(r)).doesNotContain("StartOverdue");
        assertThat(s.asked()).isEqualTo(3); // it stayed, and the one too many went
    }

    @Test
    void whatFindsNoRoomIsNoCapacityAndIsNotMultiplied() {
        var s = new Story(SPEC).ready(2).blocked(2).work(24); // need 4
        Recommendation r = s.run(2_000); // long past what a start may take
        assertThat(s.path()).containsExactly(4);
        assertThat(r.binding()).isEqualTo(Reason.NO_ROOM);
        assertThat(r.pending()).isEmpty();
        assertThat(r.terms()).containsEntry("blocked", 2.0);
        assertThat(types(r)).doesNotContain("StartOverdue");
    }

    @Test
    void whatFindsNoRoomIsGivenUpOnceItIsNotNeeded() {
        var s = new Story(SPEC).ready(2).blocked(2).work(24);
        s.run(100);
        s.work(8);
        assertThat(s.run(300).replicas()).isEqualTo(2);
    }

    @Test
    void allUnreadyUnderOverloadStillScales() {
        var s = new Story(SPEC).starting(2).work(0);
        s.queued = 60;
        assertThat(s.look().replicas()).isEqualTo(4);
    }

    @Test
    void holdsAndSaysSoWhenAProxyDoesNotAnswer() {
        var s = new Story(SPEC).ready(6).work(8);
        s.run(30);
        s.proxiesAnswer = false;
        s.cpu = 0.05;
        Recommendation r = s.run(300);
        assertThat(r.replicas()).isEqualTo(6);
        assertThat(r.binding()).isEqualTo(Reason.SIGNALS_STALE);
        assertThat(r.message()).contains("hold 6");
        assertThat(r.conditions())
                .contains(new Condition("SignalsStale", "http://p2:9901: refused"));
    }

    @Test
    void cpuStillAddsWhileProxiesCannotBeRead() {
        var s = new Story(SPEC).ready(3);
        s.proxiesAnswer = false;
        s.cpu = 0.9;
        assertThat(s.run(10).replicas()).isEqualTo(5);
    }

    @Test
    void missingCpuNeverRemoves() {
        var s = new Story(RULES).ready(5);
        s.cpu = null;
        s.run(300);
        assertThat(s.asked()).isEqualTo(5);
    }

    @Test
    void waitsForAWholeWindowBeforeTheFirstStepDown() {
        var s = new Story(SPEC).ready(8).work(8);
        assertThat(s.run(50).binding()).isEqualTo(Reason.WINDOW_NOT_FULL);
        assertThat(s.asked()).isEqualTo(8);
        s.run(20);
        assertThat(s.asked()).isLessThan(8);
    }

    @Test
    void staysAboveTheLargestNeedOfTheWindow() {
        var s = new Story(SPEC).ready(8).work(56);
        s.run(100);
        s.work(8);
        assertThat(s.run(50).binding()).isEqualTo(Reason.WINDOW);
        assertThat(s.asked()).isEqualTo(8);
    }

    @Test
    void removesNobodyWhileAnotherDrains() {
        var s = new Story(SPEC).ready(8).work(8);
        s.run(58);
        s.replicas.add(new Replica("leaving", State.DRAINING, s.nowMs, null));
        s.nowMs += 4_000;
        assertThat(
                        Decision.decide(
                                        s.spec,
                                        new Situation(
                                                s.window,
                                                s.history,
                                                new Replicas(s.replicas, s.coldStart, List.of()),
                                                8,
                                                s.nowMs))
                                .binding())
                .isEqualTo(Reason.DRAINING);
    }

    @Test
    void leavesOutCpuThatIsBusyWithoutWork() {
        var s = new Story(SPEC).ready(3);
        s.cpu = 1.0;
        s.work(0);
        // the rule may add once before the evidence is complete
        Recommendation r = s.run(60);
        assertThat(types(r)).contains("BusyPolling");
        int once = s.asked();
        s.started();
        s.work(10);
        s.run(60);
        assertThat(s.asked()).isLessThanOrEqualTo(once);
    }

    @Test
    void cpuThatIsHighWhileSlotsAreFreeIsNotForWantOfReplicas() {
        var s = new Story(SPEC).ready(4).work(12); // of 32
        s.cpu = 0.95;
        s.run(600);
        assertThat(s.asked()).isLessThanOrEqualTo(6); // once, before there is evidence
        assertThat(types(s.told.getLast())).contains("BusyPolling");
    }

    /// Prompts wait at some of four engines, at 2 calls a second and T = 0.5 s.
    @ParameterizedTest(name = "at {0} of four engines: {1}")
    @CsvSource({
        "0, 4, steady", // nobody waits
        "1, 6, prompts", // busy 0.50, 1 s a prompt: 6 replicas
        "4, 8, prompts" // busy 1, 2 s a prompt: 20, at most doubling
    })
    void promptsThatWaitInTheEnginesAskForReplicas(int engines, int expected, String reason) {
        var s = new Story("min: 2\nmax: 20\nload: {spare: 1}").ready(4).work(20);
        s.arrivals = 4;
        s.endpoints = new ArrayList<>(Collections.nCopies(engines, queueing(3)));
        s.endpoints.addAll(Collections.nCopies(4 - engines, queueing(0)));
        s.see();
        Recommendation r = s.look();
        assertThat(r.replicas()).as(r.message()).isEqualTo(expected);
        assertThat(r.reason().word()).as(r.message()).isEqualTo(reason);
    }

    @Test
    void aPromptQueueIsAnsweredOnceWhileReplicasStart() {
        var s = new Story("min: 2\nmax: 40\nload: {spare: 1}").ready(4).work(20);
        s.arrivals = 4;
        s.endpoints = Collections.nCopies(4, queueing(9));
        s.run(160);
        assertThat(s.path()).containsExactly(4, 8, 16, 20);
    }

    @Test
    void oneLongPromptQueueThatIsGoneAgainAsksForNothing() {
        var s = new Story("min: 2\nmax: 20\nload: {spare: 1}").ready(4).work(20);
        s.arrivals = 4;
        s.endpoints = Collections.nCopies(4, queueing(0));
        s.run(100);
        s.endpoints = Collections.nCopies(4, queueing(40));
        s.look();
        s.endpoints = Collections.nCopies(4, queueing(0));
        s.run(20);
        assertThat(s.path()).containsExactly(4);
    }

    @Test
    void burstsThatComeAgainAreWaitedFor() {
        var s = new Story(SPEC).ready(4).quietPast(); // slots 8, spare 1, window 60 s
        for (int i = 0; i < 20; i++) {
            s.work(24);
            s.run(4);
            s.work(6);
            s.run(36);
        }
        assertThat(s.path()).containsExactly(4); // three for the bursts, and the spare
        assertThat(s.told.getLast().need()).isEqualTo(2);
        assertThat(s.told.stream().map(Recommendation::veto)).contains(Reason.BURSTS);
        assertThat(s.run(80).replicas()).as("before two windows are over").isEqualTo(4);
        assertThat(s.run(70).replicas()).isEqualTo(2);
    }

    @ParameterizedTest(name = "work {0}: {1}")
    @CsvSource({"12, 2", "13, 3"}) // 1.5 and 1.625 replicas of 8 slots
    void aPartOfAReplicaMayBeSpare(int work, int expected) {
        var s = new Story("min: 1\nmax: 10\nload: {spare: 0.5}").ready(2).work(work);
        assertThat(s.look().replicas()).isEqualTo(expected);
    }

    @Test
    void startUpCpuMisleadsNobody() {
        var s = new Story(SPEC).ready(3).work(16);
        for (int i = 0; i < 4; i++) {
            s.replicas.add(new Replica("new" + i, State.STARTING, s.nowMs, 1.0));
        }
        assertThat(new Replicas(s.replicas, s.coldStart, List.of()).cpu().known()).isZero();
        s.run(60);
        assertThat(s.asked()).isLessThanOrEqualTo(7);
    }

    @Test
    void aCrashLoopDoesNotMultiply() {
        var s = new Story(SPEC).ready(3).work(24);
        s.replicas.add(new Replica("loops", State.CRASHED, s.nowMs, 0.0));
        s.run(900); // long past what a start may take
        assertThat(s.asked()).isLessThanOrEqualTo(6);
        assertThat(types(s.told.getLast())).contains("StartOverdue");
    }

    @Test
    void failuresOnTheNewestReplicaAreABadRollout() {
        var s = new Story(SPEC).ready(3).starting(1).started().work(16);
        s.failed = 4;
        s.completed = 16;
        s.endpoints = List.of(sample("r0", 0), sample("r3", 4));
        Recommendation r = s.run(10);
        assertThat(r.replicas()).isEqualTo(4);
        assertThat(types(r)).contains("BadRollout");
    }

    @Test
    void widensTheWindowAfterManyReversals() {
        var s = new Story(SPEC).ready(3);
        for (int i = 0; i < 6; i++) {
            s.work(24);
            s.run(20);
            s.started();
            s.work(8);
            s.run(130);
        }
        assertThat(s.told.stream().anyMatch(r -> types(r).contains("Flapping"))).isTrue();
    }

    @Test
    void trafficToZeroIsZeroAndNotUnknown() {
        var s = new Story(SPEC).ready(3).work(0);
        s.completed = 0;
        Recommendation r = s.run(10);
        assertThat(r.terms()).containsEntry("work", 0.0).doesNotContainKey("error_rate");
        assertThat(r.terms().values()).allMatch(Double::isFinite);
        assertThat(r.need()).isEqualTo(2);
    }

    @Test
    void goesToZeroOnlyAfterTheIdleTime() {
        var s = new Story(ZERO).ready(1).work(1);
        s.run(10);
        s.work(0);
        s.run(290);
        assertThat(s.asked()).isEqualTo(1);
        assertThat(s.run(20).replicas()).isZero();
        assertThat(s.told.stream().filter(Recommendation::changes).toList().getLast().reason())
                .isEqualTo(Reason.IDLE);
    }

    @Test
    void aHeldCallAloneStartsTheFirstReplica() {
        var s = new Story(ZERO);
        s.queued = 1;
        s.held = 1;
        Recommendation r = s.look();
        assertThat(r.replicas()).isEqualTo(1);
        assertThat(r.reason()).isEqualTo(Reason.HELD_CALLS);
    }

    @Test
    void aSlowModelLoadIsNotIdle() {
        var s = new Story(ZERO);
        s.queued = 1;
        s.held = 1;
        s.look();
        s.queued = 0;
        s.held = 0; // the client gave up
        s.run(200);
        assertThat(s.asked()).isEqualTo(1);
    }

    @Test
    void liftsToOneWhenZeroIsBlind() {
        var s = new Story(ZERO);
        s.proxiesAnswer = false;
        assertThat(s.run(20).replicas()).isZero();
        assertThat(s.run(20).replicas()).isEqualTo(1);
    }

    @Test
    void doesNothingWithoutLoad() {
        var s = new Story(SPEC).ready(2).work(0);
        s.cpu = 0.0;
        s.run(1200);
        assertThat(s.path()).containsExactly(2);
    }

    @Test
    void comesBackWithinItsBounds() {
        assertThat(new Story(SPEC).ready(1).look().replicas()).isEqualTo(2);
        assertThat(new Story(SPEC).ready(12).look().replicas()).isEqualTo(10);
    }

    private static List<String> types(Recommendation r) {
        return r.conditions().stream().map(Condition::type).toList();
    }

    private static EndpointSample sample(String id, long failures) {
        return new EndpointSample(id, 4, 4, null, null, failures, null);
    }

    private static EndpointSample queueing(double waiting) {
        return new EndpointSample("r", 5, 5, waiting, null, 0, null);
    }
}
