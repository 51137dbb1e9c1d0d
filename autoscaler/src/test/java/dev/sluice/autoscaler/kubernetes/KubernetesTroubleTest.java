package dev.sluice.autoscaler.kubernetes;

import static dev.sluice.autoscaler.kubernetes.Namespace.await;
import static dev.sluice.autoscaler.kubernetes.Namespace.elapsedMs;
import static dev.sluice.autoscaler.kubernetes.Namespace.hold;
import static dev.sluice.autoscaler.kubernetes.Namespace.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.autoscaler.Autoscaler;
import dev.sluice.autoscaler.AutoscalerConfig;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.api.model.rbac.PolicyRuleBuilder;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What goes wrong around the autoscaler, on a real API server: each has a name, and no wrong step
/// follows.
@OnCluster
class KubernetesTroubleTest {
    /// How long the API server is away. From 80 s on the watch's place in its history is gone too.
    private static final Duration OUTAGE =
            Duration.ofSeconds(
                    Long.parseLong(System.getenv().getOrDefault("SLUICE_TEST_OUTAGE_S", "15")));

    private static final Duration HISTORY = Duration.ofSeconds(80);

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
    void whileTheApiServerIsAwayNothingIsDecidedAndAfterwardsItIsRightAgain() throws Exception {
        in.deployment("vllm", 3);
        in.awaitEndpoints(3);
        in.proxy.endpoints.keySet().forEach(id -> in.proxy.inFlight.put(id, 3)); // need 3
        in.apply(in.scaler("llama", 1, 8, ""));
        String server = in.admin.getConfiguration().getMasterUrl();
        try (var cable = new Cable(server)) {
            System.setProperty("kubeconfig", in.kubeconfig(cable.port()).toString());
            try (Autoscaler autoscaler = start("admin: 127.0.0.1:0")) {
                await(() -> Integer.valueOf(3).equals(ready()));
                assertThat(metrics(autoscaler)).contains("sluice_scale_leader 1.0");
                String before = in.resource("llama").get().getMetadata().getResourceVersion();

                cable.cut();
                long start = System.nanoTime();
                in.proxy.inFlight.clear(); // what an old plan would scale down for
                change(110);
                hold(Duration.ofSeconds(5), () -> in.replicas() == 3);
                await(() -> metrics(autoscaler).contains("sluice_scale_leader 0.0"));
                assertThat(autoscaler.statuses()).isEmpty();
                hold(OUTAGE.minusMillis(elapsedMs(start)), () -> in.replicas() == 3);
                change(110);
                in.resource("llama").edit(KubernetesTroubleTest::minFive);
                if (OUTAGE.compareTo(HISTORY) >= 0) {
                    assertThat(in.admin.raw(watchFrom(before))).contains("\"code\":410");
                }

                cable.mend();
                long back = System.nanoTime();
                var seen = new ArrayList<Integer>();
                await(() -> seen.add(in.replicas()) && seen.getLast() == 5);
                report("API server away for " + OUTAGE.toSeconds() + " s, until right again", back);
                assertThat(seen).as("no step that the present does not ask for").containsOnly(3, 5);
                await(() -> metrics(autoscaler).contains("sluice_scale_leader 1.0"));
            }
        }
    }

    @Test
    void aQuotaIsNamedAndAskingForMoreEnds() throws Exception {
        in.apply(
                """
                apiVersion: v1
                kind: ResourceQuota
                metadata: {name: two-pods}
                spec: {hard: {pods: "2"}}
                """);
        in.deployment("vllm", 2);
        await(() -> in.follow().size() == 2);
        in.apply(in.scaler("llama", 1, 6, ""));
        in.proxy.queue(16); // need 4
        try (Autoscaler _ = start("")) {
            await(() -> in.condition("llama", "PodsRefused") != null);
            assertThat(in.condition("llama", "PodsRefused"))
                    .contains("2 of 4 pods")
                    .contains("exceeded quota: two-pods");
            await(() -> "no-room".equals(reason()));
            hold(Duration.ofSeconds(6), () -> in.replicas() == 4);
            in.admin.resourceQuotas().inNamespace(in.name).withName("two-pods").delete();
            await(() -> in.follow().size() == 4);
            await(() -> in.condition("llama", "PodsRefused") == null);
        }
    }

    @Test
    void podsThatNoNodeHasRoomForAreNamedAndNotMultiplied() throws Exception {
        in.deployment("vllm", 1, "limits: {nvidia.com/gpu: \"100\"}");
        in.apply(in.scaler("llama", 1, 6, ""));
        in.proxy.queue(12); // need 3
        try (Autoscaler _ = start("")) {
            await(() -> in.condition("llama", "Unschedulable") != null);
            assertThat(in.condition("llama", "Unschedulable"))
                    .contains("Insufficient nvidia.com/gpu");
            await(() -> "no-room".equals(reason()));
            int asked = in.replicas();
            hold(Duration.ofSeconds(6), () -> in.replicas() == asked);
            assertThat(asked).isBetween(2, 3);
        }
    }

    @Test
    void aRightThatIsTakenAwayIsNamedAndItGoesOnOnceItIsBack() throws Exception {
        in.deployment("vllm", 1);
        List<PolicyRule> all = rules(List.of());
        in.apply(in.scaler("llama", 1, 8, ""));
        try (Autoscaler _ = start("")) {
            await(() -> Integer.valueOf(1).equals(ready()));
            rules(
                    all.stream()
                            .filter(r -> !r.getResources().contains("deployments/scale"))
                            .toList());
            in.proxy.queue(30);
            await(() -> in.condition("llama", "Forbidden") != null);
            assertThat(in.condition("llama", "Forbidden")).contains("deployments");
            hold(Duration.ofSeconds(3), () -> in.replicas() == 1);
            rules(all);
            await(() -> in.replicas() > 1);
            await(() -> in.condition("llama", "Forbidden") == null);
        }
    }

    @Test
    void aSpecThatOnlyTheAutoscalerCanJudgeIsNamedAndNotActedUpon() throws Exception {
        in.deployment("vllm", 1);
        in.apply(in.scaler("llama", 2, 8, "").replace("{mode: off}", "{mode: yesterday}"));
        try (Autoscaler _ = start("")) {
            await(() -> in.condition("llama", "InvalidSpec") != null);
            assertThat(in.condition("llama", "InvalidSpec"))
                    .contains("forecast.mode")
                    .contains("write mode: off");
            hold(Duration.ofSeconds(3), () -> in.replicas() == 1);
        }
    }

    @Test
    void whatHasNoScaleIsNamedOnceTheRoleLetsItBeSeen() throws Exception {
        in.apply(
                """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: vllm}
                """);
        in.apply(
                in.scaler("llama", 1, 8, "")
                        .replace("kind: Deployment", "apiVersion: v1, kind: ConfigMap"));
        List<PolicyRule> all = rules(List.of());
        var more = new ArrayList<>(all);
        more.add(
                new PolicyRuleBuilder()
                        .withApiGroups("")
                        .withResources("configmaps/scale")
                        .withVerbs("get")
                        .build());
        try (Autoscaler _ = start("")) {
            await(() -> in.condition("llama", "Forbidden") != null);
            assertThat(in.condition("llama", "Forbidden"))
                    .contains("cannot get resource \"configmaps/scale\"")
                    .doesNotContain("https://");
            rules(more);
            await(() -> in.condition("llama", "TargetMissing") != null);
            assertThat(in.condition("llama", "TargetMissing")).contains("cannot be scaled");
        }
    }

    @Test
    void oneProxyOfTwoThatDoesNotAnswerStopsRemovalAndIsNamed() throws Exception {
        in.deployment("vllm", 3);
        in.awaitEndpoints(3);
        in.proxiesAt(in.proxy.url().getHost(), "192.0.2.1"); // where nobody is
        in.apply(in.scaler("llama", 1, 8, ""));
        try (Autoscaler _ = start("")) {
            await(() -> in.condition("llama", "SignalsStale") != null);
            assertThat(in.condition("llama", "SignalsStale")).contains("192.0.2.1");
            hold(Duration.ofSeconds(4), () -> in.replicas() == 3);
            in.proxiesAt(in.proxy.url().getHost());
            await(() -> in.follow().size() < 3 || in.replicas() < 3);
            assertThat(in.condition("llama", "SignalsStale")).isNull();
        }
    }

    @Test
    void aLeaseIsJudgedByItsRenewalsAndNotByTheClockOfItsHolder() throws Exception {
        in.deployment("vllm", 1);
        in.apply(in.scaler("llama", 3, 8, ""));
        ZonedDateTime yearAgo = ZonedDateTime.now(ZoneOffset.UTC).minusYears(1);
        lease(yearAgo);
        try (Autoscaler _ = start("")) {
            var renewals = new ArrayList<Integer>();
            hold(
                    Duration.ofSeconds(9), // longer than the lease
                    () -> {
                        lease(yearAgo.plusSeconds(renewals.size()));
                        return renewals.add(in.replicas()) && renewals.getLast() == 1;
                    });
            lease(
                    ZonedDateTime.now(ZoneOffset.UTC)
                            .plusYears(1)); // its last, from a clock that is ahead
            long start = System.nanoTime();
            await(() -> in.replicas() == 3);
            assertThat(elapsedMs(start)).isBetween(4_000L, 9_000L);
        }
    }

    private Autoscaler start(String more) throws IOException {
        return Autoscaler.start(AutoscalerConfig.read(in.file(more)), false);
    }

    /// Moves the history of the resources on.
    private void change(int times) {
        for (int i = 0; i < times; i++) {
            String value = String.valueOf(System.nanoTime());
            in.resource("llama")
                    .edit(
                            r -> {
                                r.getMetadata().setAnnotations(Map.of("test/turn", value));
                                return r;
                            });
        }
    }

    private static InferenceScaler minFive(InferenceScaler r) {
        ScalerSpec s = r.getSpec();
        r.setSpec(
                new ScalerSpec(
                        s.target(),
                        s.proxies(),
                        s.pool(),
                        5,
                        s.max(),
                        s.rules(),
                        s.load(),
                        s.forecast(),
                        s.scaleDown(),
                        s.scaleToZero()));
        return r;
    }

    private String watchFrom(String resourceVersion) {
        return "/apis/sluice.dev/v1alpha1/namespaces/"
                + in.name
                + "/inferencescalers?watch=1&timeoutSeconds=1&resourceVersion="
                + resourceVersion;
    }

    private Integer ready() {
        in.follow();
        ScalerStatus status = in.resource("llama").get().getStatus();
        return status == null ? null : status.ready();
    }

    private String reason() {
        return in.resource("llama").get().getStatus().reason();
    }

    /// Replaces the rules of the Role, unless there are none; what they were.
    private List<PolicyRule> rules(List<PolicyRule> now) {
        var role = in.admin.rbac().roles().inNamespace(in.name).withName("sluice-autoscaler");
        List<PolicyRule> before = role.get().getRules();
        if (!now.isEmpty()) {
            role.edit(
                    r -> {
                        r.setRules(now);
                        return r;
                    });
        }
        return before;
    }

    private void lease(ZonedDateTime renewed) {
        Lease lease =
                new LeaseBuilder()
                        .withNewMetadata()
                        .withName("sluice-autoscaler")
                        .withNamespace(in.name)
                        .endMetadata()
                        .withNewSpec()
                        .withHolderIdentity("somebody-else")
                        .withLeaseDurationSeconds(6)
                        .withRenewTime(renewed)
                        .endSpec()
                        .build();
        in.admin.leases().inNamespace(in.name).resource(lease).serverSideApply();
    }

    private static String metrics(Autoscaler autoscaler) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(autoscaler.adminUrl() + "/metrics"));
        try (var http = HttpClient.newHttpClient()) {
            return http.send(request.build(), BodyHandlers.ofString()).body();
        }
    }
}
