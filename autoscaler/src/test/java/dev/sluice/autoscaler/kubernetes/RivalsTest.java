package dev.sluice.autoscaler.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.autoscaler.target.ScaleTarget;

import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.client.utils.Serialization;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

class RivalsTest {
    private static final String KEDA =
            ", ownerReferences: [{kind: ScaledObject, name: llama, apiVersion: keda.sh/v1}]";

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            textBlock =
                    """
                    an HPA is named               | Deployment  | vllm  | no  | HorizontalPodAutoscaler mine
                    KEDA is, and not its HPA      | Deployment  | vllm  | yes | ScaledObject llama
                    another target's is no rival  | Deployment  | other | yes | -
                    nor that of another kind      | StatefulSet | vllm  | no  | -
                    """)
    void namesWhoElseScalesTheTarget(
            String name, String kind, String of, String keda, String expected) {
        String yaml =
                """
                apiVersion: autoscaling/v2
                kind: HorizontalPodAutoscaler
                metadata: {name: mine%s}
                spec: {maxReplicas: 3, scaleTargetRef: {kind: %s, name: %s}}
                """
                        .formatted(keda.equals("yes") ? KEDA : "", kind, of);
        var hpa = Serialization.unmarshal(yaml, HorizontalPodAutoscaler.class);
        assertThat(Rivals.of(new ScaleTarget("apps/v1", "Deployment", "vllm"), List.of(hpa)))
                .isEqualTo(expected);
    }
}
