package dev.sluice.autoscaler.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.autoscaler.kubernetes.Pods.View;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;

class FleetTest {
    @Test
    void aMarkedPodIsOwedUntilTheScaleIsLoweredAndPaidUntilItIsDeleted() {
        View marked = pod("b").marked(5).view();
        assertThat(fleet(3, pod("a").view(), marked, pod("c").view()).asked()).isEqualTo(2);
        Fleet lowered = fleet(2, pod("a").view(), marked, pod("c").view());
        assertThat(lowered.asked()).isEqualTo(2);
        assertThat(lowered.owed()).isZero();
        assertThat(lowered.replicas()).extracting(View::name).containsExactly("a", "c");
        Fleet deleting =
                fleet(2, pod("a").view(), pod("b").marked(5).gone().view(), pod("c").view());
        assertThat(deleting.asked()).isEqualTo(2);
    }

    @Test
    void podsThatDoNotExistYetAreMissing() {
        Fleet f = fleet(5, pod("a").view(), pod("b").marked(1).view());
        assertThat(f.asked()).isEqualTo(4);
        assertThat(f.missing()).isEqualTo(3);
    }

    @Test
    void aRolloutsSurplusIsNotCountedAndNothingIsPaidMeanwhile() {
        Fleet f =
                fleet(
                        2,
                        pod("old1").view(),
                        pod("old2").view(),
                        pod("new").revision("2").starting().created(9).view());
        assertThat(f.replicas()).extracting(View::name).containsExactly("old1", "old2");
        Fleet draining =
                fleet(2, pod("old").marked(1).drained().view(), pod("new").revision("2").view());
        assertThat(draining.owed()).isOne();
        assertThat(draining.payable()).isZero();
    }

    @Test
    void theVictimIsChosenAndNeverTheBusyOne() {
        Map<String, Integer> busy = Map.of("a", 0, "b", 7, "c", 0, "d", 0);
        Fleet f =
                fleet(
                        4,
                        pod("a").zone("1").created(1).view(),
                        pod("b").zone("2").created(9).view(),
                        pod("c").zone("2").created(2).view(),
                        pod("d").zone("2").created(3).view());
        assertThat(f.victims(3, p -> busy.get(p.name())))
                .extracting(View::name)
                .as("idle; the fullest zone; the newest; then zones are even")
                .containsExactly("d", "c", "a");
    }

    @Test
    void whatDoesNotServeYetGoesFirst() {
        Fleet f = fleet(2, pod("a").view(), pod("b").starting().view());
        assertThat(f.victims(1, _ -> 0)).extracting(View::name).containsExactly("b");
    }

    @Test
    void numberedPodsGoFromTheHighestAndOnlyInOrder() {
        View zero = pod("vllm-0").view();
        View nine = pod("vllm-9").view();
        View ten = pod("vllm-10").view();
        var f = new Fleet(3, List.of(zero, nine, ten), true);
        assertThat(f.victims(2, _ -> 0))
                .extracting(View::name)
                .containsExactly("vllm-10", "vllm-9");
        View nineDone = pod("vllm-9").marked(1).drained().view();
        View tenDrains = pod("vllm-10").marked(1).view();
        assertThat(new Fleet(3, List.of(zero, nineDone, tenDrains), true).payable()).isZero();
        assertThat(new Fleet(3, List.of(zero, nineDone, tenDrains), true).takenBack(1))
                .extracting(View::name)
                .containsExactly("vllm-9");
    }

    @Test
    void theLastMarkedIsTakenBackFirstAndOnlyWhatIsOwed() {
        Fleet f =
                fleet(
                        3,
                        pod("a").marked(1).view(),
                        pod("b").marked(2).view(),
                        pod("c").marked(3).drained().view());
        assertThat(f.takenBack(2)).extracting(View::name).containsExactly("b", "a");
        Fleet lowered = fleet(1, pod("a").view(), pod("b").marked(2).drained().view());
        assertThat(lowered.takenBack(1)).isEmpty();
    }

    @Test
    void onlyDrainedPodsArePaidFor() {
        Fleet f =
                fleet(
                        3,
                        pod("a").view(),
                        pod("b").marked(2).view(),
                        pod("c").marked(3).drained().view());
        assertThat(f.payable()).isOne();
    }

    private static Fleet fleet(int scale, View... pods) {
        return new Fleet(scale, List.of(pods), false);
    }

    private static A pod(String name) {
        return new A(name, "z", 0, true, null, false, false, "1");
    }

    /// A pod in the making.
    private record A(
            String name,
            String zone,
            long createdMs,
            boolean ready,
            Long markedMs,
            boolean isDrained,
            boolean terminating,
            String rev) {

        A marked(long ms) {
            return new A(name, zone, createdMs, ready, ms, isDrained, terminating, rev);
        }

        A drained() {
            return new A(name, zone, createdMs, ready, markedMs, true, terminating, rev);
        }

        A gone() {
            return new A(name, zone, createdMs, ready, markedMs, isDrained, true, rev);
        }

        A starting() {
            return new A(name, zone, createdMs, false, markedMs, isDrained, terminating, rev);
        }

        A created(long ms) {
            return new A(name, zone, ms, ready, markedMs, isDrained, terminating, rev);
        }

        A zone(String z) {
            return new A(name, z, createdMs, ready, markedMs, isDrained, terminating, rev);
        }

        A revision(String r) {
            return new A(name, zone, createdMs, ready, markedMs, isDrained, terminating, r);
        }

        View view() {
            return new View(
                    name,
                    name,
                    "10.0.0.1",
                    createdMs,
                    ready ? 1L : null,
                    terminating,
                    markedMs,
                    isDrained,
                    zone,
                    rev,
                    0,
                    null,
                    null);
        }
    }
}
