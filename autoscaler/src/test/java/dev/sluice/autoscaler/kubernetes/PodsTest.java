package dev.sluice.autoscaler.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.autoscaler.kubernetes.Pods.Trouble;
import dev.sluice.autoscaler.kubernetes.Pods.View;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.utils.Serialization;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PodsTest {
    @Test
    void readsWhatKubernetesSaysOfAPodThatServes() {
        View pod =
                view(
                        """
                        labels: {pod-template-hash: abc, topology.kubernetes.io/zone: z1}
                        """,
                        "podIP: 10.1.0.7, conditions: [{type: Ready, status: 'True',"
                                + " lastTransitionTime: '2026-11-21T12:00:30Z'}]");
        assertThat(pod.ready()).isTrue();
        assertThat(pod.readyMs() - pod.createdMs()).isEqualTo(30_000);
        assertThat(pod.ip()).isEqualTo("10.1.0.7");
        assertThat(pod.zone()).isEqualTo("z1");
        assertThat(pod.revision()).isEqualTo("abc");
        assertThat(pod.marked()).isFalse();
        assertThat(pod.trouble()).isNull();
        assertThat(pod.ordinal()).isEqualTo(3);
    }

    @Test
    void readsTheMarksOfADrain() {
        View pod =
                view(
                        """
                        annotations: {sluice.dev/draining: '2026-11-21T12:05:00Z', sluice.dev/drained: 'x'}
                        """,
                        "");
        assertThat(pod.markedMs() - pod.createdMs()).isEqualTo(300_000);
        assertThat(pod.drained()).isTrue();
        assertThat(view("annotations: {sluice.dev/draining: rubbish}\n", "").markedMs())
                .as("a mark that cannot be read is a mark")
                .isZero();
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: no GPU}] | Unschedulable no GPU
                    containerStatuses: [{name: c, state: {waiting: {reason: CrashLoopBackOff}}}]               | Crashing CrashLoopBackOff of container c
                    containerStatuses: [{name: c, state: {waiting: {reason: ImagePullBackOff}}}]               | Crashing ImagePullBackOff of container c
                    containerStatuses: [{name: c, state: {waiting: {reason: ErrImagePull}}}]                   | Crashing ErrImagePull of container c
                    containerStatuses: [{name: c, state: {waiting: {reason: ContainerCreating}}}]              | -
                    containerStatuses: [{name: c, state: {running: {}}}]                                       | -
                    conditions: [{type: Ready, status: 'False'}]                                               | -
                    """)
    void namesWhatKeepsAPodFromStarting(String status, String trouble) {
        View pod = view("", status);
        assertThat(pod.ready()).isFalse();
        String told =
                switch (pod.trouble()) {
                    case Trouble.Unschedulable(String why) -> "Unschedulable " + why;
                    case Trouble.Crashing(String why) -> "Crashing " + why;
                    case null -> "-";
                };
        assertThat(told).isEqualTo(trouble);
    }

    @ParameterizedTest(name = "{0}: {1} cores")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    requests: {cpu: 500m}                 | 0.5
                    requests: {cpu: 500m}, limits: {cpu: 2} | 0.5
                    limits: {cpu: 2}                      | 2
                    requests: {memory: 1Gi}               |
                    """)
    void hundredPercentIsTheRequestElseTheLimitElseUnknown(String resources, Double cores) {
        assertThat(Pods.view(pod("", "", resources)).cores()).isEqualTo(cores);
    }

    @ParameterizedTest
    @CsvSource({"Succeeded, true", "Failed, true", "Running, false", "Pending, false"})
    void countsOnlyPodsThatAreNotOver(String phase, boolean ended) {
        assertThat(Pods.ended(pod("", "phase: " + phase, ""))).isEqualTo(ended);
    }

    private static View view(String metadata, String status) {
        return Pods.view(pod(metadata, status, ""));
    }

    private static Pod pod(String metadata, String status, String resources) {
        return Serialization.unmarshal(
                """
                apiVersion: v1
                kind: Pod
                metadata:
                  name: vllm-3
                  uid: u
                  creationTimestamp: '2026-11-21T12:00:00Z'
                  %s
                spec: {nodeName: n1, containers: [{name: c, resources: {%s}}]}
                status: {%s}
                """
                        .formatted(metadata.strip(), resources, status),
                Pod.class);
    }
}
