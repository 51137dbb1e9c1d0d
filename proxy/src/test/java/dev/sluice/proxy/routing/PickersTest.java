package dev.sluice.proxy.routing;

import static dev.sluice.proxy.pool.TestPool.endpoint;
import static dev.sluice.proxy.pool.TestPool.member;
import static dev.sluice.proxy.pool.TestPool.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Member.Use;
import dev.sluice.proxy.pool.Snapshot;
import dev.sluice.proxy.pool.TestPool;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.routing.Choice.Because;
import dev.sluice.proxy.routing.Choice.Chosen;
import dev.sluice.proxy.routing.Choice.None;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

class PickersTest {
    private static final int NO_CAP = Integer.MAX_VALUE;

    private final Picker roundRobin = new RoundRobin(new AtomicInteger());
    private final Picker weighted = new Weighted();
    private final Picker leastLoaded = new LeastLoaded(new SplittableRandom(1));
    private final Picker latency = new Latency(new SplittableRandom(1));

    @Test
    void roundRobinIsExactOverWholeRounds() {
        Snapshot four = snapshot(full(1, 1), full(2, 1), full(3, 1), full(4, 1));
        assertThat(counts(roundRobin, four, 400)).containsOnlyKeys(1, 2, 3, 4).containsValue(100);
        assertThat(counts(roundRobin, four, 402).values()).allMatch(n -> n >= 100 && n <= 101);
    }

    @Test
    void roundRobinPassesOverWhoIsFull() {
        Member full = member(endpoint(1), Use.FULL, 1, 1);
        TestPool.take(full.endpoint());
        assertThat(counts(roundRobin, snapshot(full, full(2, 1)), 10)).isEqualTo(Map.of(2, 10));
    }

    @Test
    void weightedIsExactInEachCycleAndSmooth() {
        assertThat(Weighted.order(new double[] {5, 1, 1})).containsExactly(0, 0, 1, 0, 2, 0, 0);
        assertThat(Weighted.order(new double[] {4, 2})).containsExactly(0, 1, 0);
        Snapshot three = snapshot(full(1, 5), full(2, 2), full(3, 1));
        for (int cycle = 0; cycle < 5; cycle++) {
            assertThat(counts(weighted, three, 8)).isEqualTo(Map.of(1, 5, 2, 2, 3, 1));
        }
    }

    @Test
    void weightedFollowsWeightsThatAreNotWhole() {
        int[] order = Weighted.order(new double[] {0.37, 0.1});
        assertThat(order).hasSize(Weighted.TURNS);
        double share = (double) Arrays.stream(order).filter(i -> i == 0).count() / order.length;
        assertThat(share).isCloseTo(0.37 / 0.47, within(0.01));
    }

    @Test
    void weightedFollowsANewSnapshot() {
        assertThat(counts(weighted, snapshot(full(1, 1), full(2, 3)), 4))
                .isEqualTo(Map.of(1, 1, 2, 3));
        assertThat(counts(weighted, snapshot(full(1, 3), full(2, 1)), 4))
                .isEqualTo(Map.of(1, 3, 2, 1));
        assertThat(counts(weighted, snapshot(full(2, 1)), 4)).isEqualTo(Map.of(2, 4));
    }

    @Test
    void leastLoadedTakesTheLeastForItsWeight() {
        Member busy = full(1, 1);
        Member idle = full(2, 1);
        Member strong = full(3, 4);
        TestPool.take(busy.endpoint());
        TestPool.take(strong.endpoint());
        assertThat(counts(leastLoaded, snapshot(busy, idle), 20)).isEqualTo(Map.of(2, 20));
        assertThat(counts(leastLoaded, snapshot(busy, idle, strong), 20)).isEqualTo(Map.of(3, 20));
        assertThat(counts(leastLoaded, snapshot(TestPool.foreign(idle, 5), busy), 20))
                .isEqualTo(Map.of(1, 20));
    }

    @Test
    void leastLoadedRotatesTies() {
        Snapshot four = snapshot(full(1, 1), full(2, 1), full(3, 1), full(4, 1));
        assertThat(counts(leastLoaded, four, 4_000).values())
                .hasSize(4)
                .allMatch(n -> n > 800 && n < 1_200);
    }

    @Test
    void leastLoadedSamplesALargePool() {
        Member[] many =
                IntStream.rangeClosed(1, 200).mapToObj(i -> full(i, 1)).toArray(Member[]::new);
        Chosen chosen = (Chosen) leastLoaded.pick(snapshot(many), request(""), List.of(), 0);
        assertThat(chosen.of()).isEqualTo(LeastLoaded.SAMPLE);
        for (int i = 0; i < 199; i++) {
            many[i] = member(many[i].endpoint(), Use.FULL, 1, 0);
        }
        assertThat(counts(leastLoaded, snapshot(many), 10)).isEqualTo(Map.of(200, 10));
    }

    @Test
    void latencyPrefersHealthThenTheFaster() {
        Member slow = full(1, 1);
        Member fast = full(2, 1);
        Member sick = member(endpoint(3), Use.DEGRADED, 1, NO_CAP);
        TestPool.ttft(slow.endpoint(), 900);
        TestPool.ttft(fast.endpoint(), 100);
        TestPool.ttft(sick.endpoint(), 10);
        assertThat(counts(latency, snapshot(slow, fast), 50)).isEqualTo(Map.of(2, 50));
        assertThat(counts(latency, snapshot(fast, sick), 50)).isEqualTo(Map.of(2, 50));
        Map<Integer, Integer> three = counts(latency, snapshot(slow, fast, sick), 300);
        assertThat(three.get(2)).isGreaterThan(150);
        assertThat(three).doesNotContainKey(3);
    }

    @Test
    void latencyGoesByLoadWhileOneIsUnknown() {
        Member known = full(1, 1);
        Member unknown = full(2, 1);
        TestPool.ttft(known.endpoint(), 1);
        TestPool.take(known.endpoint());
        assertThat(counts(latency, snapshot(known, unknown), 20)).isEqualTo(Map.of(2, 20));
        TestPool.take(unknown.endpoint());
        TestPool.take(unknown.endpoint());
        assertThat(counts(latency, snapshot(known, unknown), 20)).isEqualTo(Map.of(1, 20));
    }

    @Test
    void everyPolicySaysWhyNobodyCanBePicked() {
        Member one = full(1, 1);
        Member capped = member(endpoint(2), Use.FULL, 1, 0);
        Member starting = member(endpoint(3), Use.NONE, 1, NO_CAP);
        for (Picker picker : List.of(roundRobin, weighted, leastLoaded, latency)) {
            assertThat(none(picker, snapshot(), "", List.of())).isEqualTo(Because.EMPTY);
            assertThat(none(picker, snapshot(starting), "", List.of())).isEqualTo(Because.HEALTH);
            assertThat(none(picker, snapshot(capped), "", List.of())).isEqualTo(Because.BUSY);
            assertThat(none(picker, snapshot(one), "", List.of(one.endpoint())))
                    .isEqualTo(Because.TRIED);
            assertThat(none(picker, snapshot(one, capped), "", List.of(one.endpoint())))
                    .isEqualTo(Because.BUSY);
            assertThat(
                            none(
                                    picker,
                                    snapshot(
                                            TestPool.serving(one, "a"),
                                            TestPool.serving(full(4, 1), "b")),
                                    "c",
                                    List.of()))
                    .isEqualTo(Because.MODEL);
        }
    }

    @Test
    void everyPolicySendsAModelToWhoServesIt() {
        Snapshot two =
                snapshot(TestPool.serving(full(1, 1), "a"), TestPool.serving(full(2, 1), "b"));
        for (Picker picker : List.of(roundRobin, weighted, leastLoaded, latency)) {
            for (int i = 0; i < 10; i++) {
                Chosen chosen = (Chosen) picker.pick(two, request("b"), List.of(), 0);
                assertThat(chosen.member().models()).containsExactly("b");
            }
        }
    }

    @Test
    void reasonsReadWell() {
        Snapshot one = snapshot(full(1, 2));
        assertThat(reason(leastLoaded, one)).isEqualTo("least_loaded load=0.0 of 1");
        assertThat(reason(weighted, one)).isEqualTo("weighted weight=2.0 of 1");
        assertThat(reason(roundRobin, one)).isEqualTo("round_robin turn of 1");
        TestPool.ttft(one.members().getFirst().endpoint(), 123);
        assertThat(reason(latency, one)).isEqualTo("latency ttft=123ms of 1");
    }

    private static Member full(int number, double weight) {
        return member(endpoint(number), Use.FULL, weight, NO_CAP);
    }

    private static String reason(Picker picker, Snapshot snapshot) {
        return ((Chosen) picker.pick(snapshot, request(""), List.of(), 0)).get();
    }

    private static Because none(
            Picker picker, Snapshot snapshot, String model, List<Endpoint> tried) {
        return ((None) picker.pick(snapshot, request(model), tried, 0)).because();
    }

    /// How often each endpoint was picked, by the last number of its address.
    private static Map<Integer, Integer> counts(Picker picker, Snapshot snapshot, int picks) {
        Map<Integer, Integer> out = new HashMap<>();
        for (int i = 0; i < picks; i++) {
            Chosen chosen = (Chosen) picker.pick(snapshot, request(""), List.of(), 0);
            String host = chosen.member().endpoint().address().host();
            out.merge(Integer.valueOf(host.substring(host.lastIndexOf('.') + 1)), 1, Integer::sum);
        }
        return out;
    }

    private static InferenceRequest request(String model) {
        return new InferenceRequest("id", Api.CHAT, model, true, 100, 0, "", null);
    }
}
