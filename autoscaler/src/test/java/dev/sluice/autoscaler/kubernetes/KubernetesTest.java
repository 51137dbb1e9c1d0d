package dev.sluice.autoscaler.kubernetes;

import static dev.sluice.autoscaler.kubernetes.Namespace.await;
import static dev.sluice.autoscaler.kubernetes.Namespace.elapsedMs;
import static dev.sluice.autoscaler.kubernetes.Namespace.hold;
import static dev.sluice.autoscaler.kubernetes.Namespace.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.sluice.autoscaler.Autoscaler;
import dev.sluice.autoscaler.AutoscalerConfig;
import dev.sluice.autoscaler.FakeProxy;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClientException;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// The autoscaler against a real API server, logged in with the shipped Role and nothing else.
@OnCluster
class KubernetesTest {
    @TempDir Path folder;
    private Namespace in;

    @BeforeEach
    void open() throws Exception {
        in = new Namespace(folder);
        System.setProperty("kubeconfig", in.kubeconfig.toString());
    }

    @AfterEach
    void close() {
        in.close();
    }

    @Test
    void asksForReplicasWithinTwoSecondsOfTheFirstQueuedCall() throws Exception {
        in.deployment("vllm", 1);
        in.apply(in.scaler("llama", 1, 8, ""));
        try (Autoscaler _ = start()) {
            await(() -> in.follow().size() == 1 && ready("llama") == 1);
            long start = System.nanoTime();
            in.proxy.queue(7);
            await(() -> in.replicas() == 2);
            report("first queued call to patched scale", start);
            assertThat(elapsedMs(start)).isLessThan(2_000);

            in.proxy.queue(30);
            await(() -> in.replicas() == 8);
            in.follow();
            await(() -> ready("llama") == 8);
            InferenceScaler said = in.resource("llama").get();
            assertThat(said.getStatus().desired()).isEqualTo(8);
            assertThat(said.getStatus().lastDecision().reason()).isIn("load", "queue-wait");
            assertThat(said.getStatus().observedGeneration())
                    .isEqualTo(said.getMetadata().getGeneration());
            await(() -> events("llama").stream().anyMatch(e -> e.getReason().equals("load")));
        }
    }

    @Test
    void wakesFromZeroWithinTwoSeconds() throws Exception {
        in.deployment("vllm", 0);
        in.apply(in.scaler("llama", 0, 4, "  scaleToZero: {enabled: true, idle: 2s}\n"));
        try (Autoscaler _ = start()) {
            await(() -> Integer.valueOf(0).equals(desired("llama")));
            long start = System.nanoTime();
            in.proxy.queue(1);
            in.proxy.held = 1;
            await(() -> in.replicas() == 1);
            report("first held call to patched scale, from zero", start);
            assertThat(elapsedMs(start)).isLessThan(2_000);
            await(() -> in.follow().size() == 1 && ready("llama") == 1);
            in.proxy.queue(0);
            in.proxy.held = 0;
            await(() -> in.replicas() == 0);
        }
    }

    @Test
    void takesAwayTheIdleReplicaAndOnlyOnceItHasDrained() throws Exception {
        in.deployment("vllm", 3);
        in.awaitEndpoints(3);
        List<String> ids = List.copyOf(in.proxy.endpoints.keySet());
        in.proxy.inFlight.put(ids.get(0), 3);
        in.proxy.inFlight.put(ids.get(1), 4);
        in.proxy.inFlight.put(ids.get(2), 1); // the least: it goes
        in.apply(in.scaler("llama", 1, 4, ""));
        try (Autoscaler _ = start()) {
            await(() -> "draining".equals(in.proxy.endpoints.get(ids.get(2))));
            hold(Duration.ofSeconds(3), () -> in.replicas() == 3);
            in.proxy.inFlight.put(ids.get(2), 0);
            await(() -> in.replicas() == 2);
            await(() -> in.pods().size() == 2);
            assertThat(in.pods())
                    .extracting(p -> p.getStatus().getPodIP() + ":8000")
                    .containsExactlyInAnyOrder(ids.get(0), ids.get(1));
        }
    }

    @Test
    void countsAndDrainsAtEveryProxyBehindTheService() throws Exception {
        FakeProxy other = in.secondProxy();
        assumeThat(other).as("a second address of this machine").isNotNull();
        in.deployment("vllm", 1);
        in.awaitEndpoints(1);
        in.apply(in.scaler("llama", 1, 8, ""));
        try (Autoscaler _ = start()) {
            in.proxy.queue(3); // four slots each: one replica would do for one of the two
            other.queue(3);
            await(() -> in.replicas() == 2);
            in.awaitEndpoints(2);
            List<String> ids = List.copyOf(in.proxy.endpoints.keySet());
            ids.forEach(id -> other.inFlight.put(id, 1)); // the first sees all of them free
            in.proxy.queue(0);
            other.queue(0);
            await(
                    () ->
                            in.proxy.endpoints.containsValue("draining")
                                    && other.endpoints.containsValue("draining"));
            assertThat(other.endpoints).isEqualTo(in.proxy.endpoints);
            hold(Duration.ofSeconds(3), () -> in.replicas() == 2);
            other.inFlight.clear();
            await(() -> in.replicas() == 1);
        }
    }

    @Test
    void takesADrainingReplicaBackWhenTheNeedRises() throws Exception {
        in.deployment("vllm", 2);
        in.awaitEndpoints(2);
        List<String> ids = List.copyOf(in.proxy.endpoints.keySet());
        ids.forEach(id -> in.proxy.inFlight.put(id, 1));
        in.apply(in.scaler("llama", 1, 4, ""));
        try (Autoscaler _ = start()) {
            await(() -> in.proxy.endpoints.containsValue("draining"));
            in.proxy.queue(4);
            await(() -> !in.proxy.endpoints.containsValue("draining"));
            assertThat(in.replicas()).isEqualTo(2);
            await(() -> in.pods().stream().noneMatch(KubernetesTest::marked));
        }
    }

    @Test
    void refusesATargetThatAnHpaScalesAndNamesIt() throws Exception {
        in.deployment("vllm", 1);
        in.apply(
                """
                apiVersion: autoscaling/v2
                kind: HorizontalPodAutoscaler
                metadata: {name: old-hpa}
                spec:
                  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: vllm}
                  minReplicas: 1
                  maxReplicas: 3
                  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
                """);
        in.apply(in.scaler("llama", 1, 8, ""));
        in.proxy.queue(30);
        try (Autoscaler _ = start()) {
            await(() -> in.condition("llama", "Conflict") != null);
            assertThat(in.condition("llama", "Conflict"))
                    .contains("HorizontalPodAutoscaler old-hpa");
            hold(Duration.ofSeconds(3), () -> in.replicas() == 1);
            await(() -> events("llama").stream().anyMatch(e -> e.getReason().equals("Conflict")));
        }
    }

    @Test
    void ofTwoResourcesOnOneTargetTheOlderActsAndTheOtherNamesIt() throws Exception {
        in.deployment("vllm", 1);
        in.apply(in.scaler("a-first", 1, 8, ""));
        in.apply(in.scaler("b-second", 3, 8, ""));
        try (Autoscaler _ = start()) {
            await(() -> in.condition("b-second", "Conflict") != null);
            assertThat(in.condition("b-second", "Conflict")).contains("InferenceScaler a-first");
            hold(Duration.ofSeconds(3), () -> in.replicas() == 1);
        }
    }

    @Test
    void waitsForATargetThatDoesNotExistYet() throws Exception {
        in.apply(in.scaler("llama", 2, 4, ""));
        try (Autoscaler _ = start()) {
            await(() -> in.condition("llama", "TargetMissing") != null);
            in.deployment("vllm", 1);
            await(() -> in.replicas() == 2);
            await(() -> in.condition("llama", "TargetMissing") == null);
        }
    }

    @Test
    void holdsAndSaysSoWhileAProxyDoesNotAnswer() throws Exception {
        in.deployment("vllm", 3);
        in.proxy.broken = true;
        in.apply(in.scaler("llama", 1, 8, ""));
        try (Autoscaler _ = start()) {
            await(() -> in.condition("llama", "SignalsStale") != null);
            hold(Duration.ofSeconds(4), () -> in.replicas() == 3);
            in.proxy.broken = false;
            await(() -> in.follow().size() == 3 && in.condition("llama", "SignalsStale") == null);
            await(() -> in.follow().size() < 3 || in.replicas() < 3);
        }
    }

    @Test
    void pausedOrDryItLooksAndDoesNotAct() throws Exception {
        in.deployment("vllm", 1);
        in.proxy.queue(30);
        in.apply(
                in.scaler("llama", 1, 8, "")
                        .replace(
                                "{name: llama}",
                                "{name: llama, annotations: {sluice.dev/paused: \"true\"}}"));
        try (Autoscaler paused = start()) {
            await(() -> in.condition("llama", "Paused") != null);
            await(() -> paused.statuses().stream().anyMatch(s -> s.desired() > 1));
            hold(Duration.ofSeconds(2), () -> in.replicas() == 1);
        }
        in.resource("llama")
                .edit(
                        r -> {
                            r.getMetadata().setAnnotations(java.util.Map.of());
                            return r;
                        });
        try (Autoscaler dry = Autoscaler.start(AutoscalerConfig.read(in.file("")), true)) {
            await(() -> dry.statuses().stream().anyMatch(s -> s.desired() > 1));
            hold(Duration.ofSeconds(2), () -> in.replicas() == 1);
        }
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    min: 1|min: 9|min must not be above max
                    min: 1|min: 0|needs scaleToZero
                    min: 1|min: -1|greater than or equal to 0
                    slotsPerReplica: 4|slotsPerReplica: many|learned
                    slotsPerReplica: 4|slotsPerReplica: 0|learned
                    window: 1s|window: 10|scaleDown.window
                    pool: llama|pol: llama|spec.pool
                    kind: Deployment|kind: deployment|spec.target.kind
                    forecast: {mode: off}|rules: {cpuLow: 0.9}|cpuLow must be below
                    """)
    void theServerRejects(String good, String bad, String why) {
        String yaml = in.scaler("llama", 1, 8, "").replace(good, bad);
        assertThatThrownBy(() -> in.apply(yaml))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining(why);
    }

    @Test
    void killedWhileItDrainsASuccessorTakesOverWithinTheLeaseAndGoesOn() throws Exception {
        in.deployment("vllm", 3);
        in.awaitEndpoints(3);
        List<String> ids = List.copyOf(in.proxy.endpoints.keySet());
        ids.forEach(id -> in.proxy.inFlight.put(id, 2));
        in.apply(in.scaler("llama", 2, 4, ""));
        Path file = in.file("");
        Process first = process(file, "first");
        Process second = null;
        try {
            await(() -> in.proxy.endpoints.containsValue("draining"));
            second = process(file, "second");
            String holder = holder();
            await(() -> Files.readString(folder.resolve("second")).contains("standing by"));
            assertThat(holder()).isEqualTo(holder);
            long start = System.nanoTime();
            first.destroyForcibly();
            await(() -> !holder().equals(holder));
            report("kill -9 to takeover, lease 6 s", start);
            assertThat(elapsedMs(start)).isLessThan(6_000);

            hold(Duration.ofSeconds(2), () -> in.replicas() == 3);
            assertThat(in.pods().stream().filter(KubernetesTest::marked)).hasSize(1);
            ids.forEach(id -> in.proxy.inFlight.put(id, 0));
            await(() -> in.replicas() == 2);
            hold(Duration.ofSeconds(2), () -> in.replicas() == 2);
        } finally {
            first.destroyForcibly();
            if (second != null) {
                second.destroyForcibly();
            }
        }
    }

    private Process process(Path file, String output) throws IOException {
        return AutoscalerProcess.start(file, in.kubeconfig, folder.resolve(output).toFile());
    }

    private String holder() {
        return in.admin
                .leases()
                .inNamespace(in.name)
                .withName("sluice-autoscaler")
                .get()
                .getSpec()
                .getHolderIdentity();
    }

    private Autoscaler start() throws IOException {
        return Autoscaler.start(AutoscalerConfig.read(in.file("")), false);
    }

    private Integer desired(String resource) {
        ScalerStatus status = in.resource(resource).get().getStatus();
        return status == null ? null : status.desired();
    }

    private int ready(String resource) {
        in.follow();
        ScalerStatus status = in.resource(resource).get().getStatus();
        return status == null || status.ready() == null ? -1 : status.ready();
    }

    private List<Event> events(String resource) {
        return in.admin.v1().events().inNamespace(in.name).list().getItems().stream()
                .filter(e -> e.getInvolvedObject().getName().equals(resource))
                .toList();
    }

    private static boolean marked(Pod pod) {
        return pod.getMetadata().getAnnotations() != null
                && pod.getMetadata().getAnnotations().containsKey(Pods.DRAINING);
    }
}
