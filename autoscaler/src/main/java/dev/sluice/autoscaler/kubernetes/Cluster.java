package dev.sluice.autoscaler.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;

import dev.sluice.autoscaler.target.ScaleTarget;
import dev.sluice.shared.AdminJson;

import io.fabric8.kubernetes.api.model.APIResource;
import io.fabric8.kubernetes.api.model.APIResourceList;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.utils.Serialization;

import org.jspecify.annotations.Nullable;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/// One namespace of a cluster: everything that the autoscaler reads and writes there. Reads go to
/// the API server each time, so that nothing is decided on what was true a while ago; a write is
/// refused once the lease is no longer held. Any thread; blocks.
///
/// Every method throws {@link KubernetesClientException} when the server does not answer or does
/// not allow it.
public final class Cluster {
    private static final PatchContext MERGE = PatchContext.of(PatchType.JSON_MERGE);
    private static final int CONFLICT = 409;
    private static final int NOT_FOUND = 404;

    private final KubernetesClient client;
    private final String namespace;
    private final BooleanSupplier mayAct;
    private final Map<String, String> plurals = new ConcurrentHashMap<>();

    /// @param mayAct whether this process still holds the lease; asked before each write
    public Cluster(KubernetesClient client, String namespace, BooleanSupplier mayAct) {
        this.client = client;
        this.namespace = namespace;
        this.mayAct = mayAct;
    }

    /// @param selector of the target's pods
    record Scale(int replicas, String selector, String resourceVersion) {}

    /// CPU use in cores, and when it was measured.
    record CpuUse(double cores, long timeMs) {}

    String namespace() {
        return namespace;
    }

    /// Null when there is no such target.
    @Nullable Scale scale(ScaleTarget target) {
        String answer;
        try {
            String path = path(target);
            answer = path == null ? null : client.raw(path);
        } catch (KubernetesClientException e) {
            if (e.getCode() == NOT_FOUND) {
                return null;
            }
            throw e;
        }
        if (answer == null) {
            return null;
        }
        JsonNode json = Serialization.unmarshal(answer, JsonNode.class);
        return new Scale(
                json.path("spec").path("replicas").asInt(0),
                json.path("status").path("selector").asText(""),
                json.path("metadata").path("resourceVersion").asText(""));
    }

    /// Asks for this many. False when the target has changed since it was looked at: look again.
    boolean patchScale(ScaleTarget target, Scale seen, int replicas) {
        if (!mayAct.getAsBoolean()) {
            return false;
        }
        String patch =
                "{\"metadata\":{\"resourceVersion\":\""
                        + seen.resourceVersion()
                        + "\"},\"spec\":{\"replicas\":"
                        + replicas
                        + "}}";
        // The client's own patch reads the whole target first, which the Role does not allow.
        String path = path(target);
        if (path == null) {
            return false;
        }
        HttpClient http = client.getHttpClient();
        HttpRequest request =
                http.newHttpRequestBuilder()
                        .uri(client.getConfiguration().getMasterUrl().replaceAll("/$", "") + path)
                        .method("PATCH", "application/merge-patch+json", patch)
                        .build();
        HttpResponse<String> answer = answer(http, request);
        if (answer.code() == CONFLICT || answer.isSuccessful()) {
            return answer.isSuccessful();
        }
        throw new KubernetesClientException(
                "scaling " + target + ": " + answer.code() + " " + answer.body(),
                answer.code(),
                null);
    }

    List<Pod> pods(String selector) {
        return client.pods().inNamespace(namespace).withLabelSelector(selector).list().getItems();
    }

    /// Sets these annotations; a null value removes one. A pod that is gone is no error.
    void annotate(String pod, Map<String, @Nullable String> notes) {
        if (!mayAct.getAsBoolean()) {
            return;
        }
        var values = new HashMap<String, @Nullable String>(notes);
        String patch =
                new String(
                        AdminJson.bytes(Map.of("metadata", Map.of("annotations", values))),
                        StandardCharsets.UTF_8);
        try {
            client.pods().inNamespace(namespace).withName(pod).patch(MERGE, patch);
        } catch (KubernetesClientException e) {
            if (e.getCode() != NOT_FOUND) {
                throw e;
            }
        }
    }

    List<EndpointSlice> slices(String service) {
        return client.discovery()
                .v1()
                .endpointSlices()
                .inNamespace(namespace)
                .withLabel("kubernetes.io/service-name", service)
                .list()
                .getItems();
    }

    List<HorizontalPodAutoscaler> podAutoscalers() {
        return client.autoscaling()
                .v2()
                .horizontalPodAutoscalers()
                .inNamespace(namespace)
                .list()
                .getItems();
    }

    /// CPU use by pod name, of those that `metrics.k8s.io` knows; empty where it is not served.
    Map<String, CpuUse> cpu(String selector) {
        String path =
                "/apis/metrics.k8s.io/v1beta1/namespaces/"
                        + namespace
                        + "/pods?labelSelector="
                        + URLEncoder.encode(selector, StandardCharsets.UTF_8);
        String answer = client.raw(path);
        var out = new HashMap<String, CpuUse>();
        if (answer == null) {
            return out;
        }
        JsonNode list = Serialization.unmarshal(answer, JsonNode.class);
        for (JsonNode pod : list.path("items")) {
            double cores = 0;
            for (JsonNode c : pod.path("containers")) {
                String cpu = c.path("usage").path("cpu").asText("0");
                cores += Quantity.parse(cpu).getNumericalAmount().doubleValue();
            }
            out.put(
                    pod.path("metadata").path("name").asText(),
                    new CpuUse(cores, Pods.millis(pod.path("timestamp").asText(null), 0)));
        }
        return out;
    }

    /// The last reason for which a pod of this target could not be created: a quota, an admission
    /// rule. Null when none is told.
    @Nullable String failedCreate(ScaleTarget target) {
        return client
                .v1()
                .events()
                .inNamespace(namespace)
                .withField("reason", "FailedCreate")
                .list()
                .getItems()
                .stream()
                .filter(e -> ownedBy(e.getInvolvedObject().getName(), target.name()))
                .max(Comparator.comparing(e -> String.valueOf(e.getLastTimestamp())))
                .map(Event::getMessage)
                .orElse(null);
    }

    /// The target itself, or its ReplicaSet.
    private static boolean ownedBy(String name, String target) {
        return name.equals(target)
                || (name.startsWith(target + "-") && name.indexOf('-', target.length() + 1) < 0);
    }

    /// Tells of something, at `kubectl describe` and `kubectl get events`.
    ///
    /// @param warning whether it is one, or only news
    void event(ObjectReference about, boolean warning, String reason, String message) {
        if (!mayAct.getAsBoolean()) {
            return;
        }
        String now = Instant.now().toString();
        client.v1()
                .events()
                .inNamespace(namespace)
                .resource(
                        new EventBuilder()
                                .withNewMetadata()
                                .withGenerateName(about.getName() + ".")
                                .withNamespace(namespace)
                                .endMetadata()
                                .withInvolvedObject(about)
                                .withType(warning ? "Warning" : "Normal")
                                .withReason(reason)
                                .withMessage(
                                        message.length() > 1000
                                                ? message.substring(0, 1000)
                                                : message)
                                .withFirstTimestamp(now)
                                .withLastTimestamp(now)
                                .withCount(1)
                                .withReportingComponent("sluice-autoscaler")
                                .withReportingInstance("sluice-autoscaler")
                                .withNewSource()
                                .withComponent("sluice-autoscaler")
                                .endSource()
                                .build())
                .create();
    }

    /// Replaces the status of a resource; its age does not matter, since it is made anew each time.
    void status(String name, ScalerStatus status) {
        if (!mayAct.getAsBoolean()) {
            return;
        }
        var patch = new LinkedHashMap<String, Object>();
        patch.put("status", status);
        client.resources(InferenceScaler.class)
                .inNamespace(namespace)
                .withName(name)
                .subresource("status")
                .patch(MERGE, Serialization.asJson(patch));
    }

    private HttpResponse<String> answer(HttpClient http, HttpRequest request) {
        try {
            return http.sendAsync(request, String.class)
                    .get(client.getConfiguration().getRequestTimeout(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw KubernetesClientException.launderThrowable(e);
        } catch (ExecutionException | TimeoutException e) {
            throw KubernetesClientException.launderThrowable(e);
        }
    }

    /// Of the target's scale; null when the server knows no such kind.
    private @Nullable String path(ScaleTarget target) {
        String kind = target.apiVersion() + " " + target.kind();
        String plural = plurals.get(kind);
        if (plural == null) {
            APIResourceList known = client.getApiResources(target.apiVersion());
            if (known == null) {
                return null;
            }
            plural =
                    known.getResources().stream()
                            .filter(r -> r.getKind().equals(target.kind()))
                            .map(APIResource::getName)
                            .filter(n -> !n.contains("/"))
                            .findFirst()
                            .orElse(null);
            if (plural == null) {
                return null;
            }
            plurals.put(kind, plural);
        }
        String group = target.apiVersion().contains("/") ? "/apis/" : "/api/";
        return group
                + target.apiVersion()
                + "/namespaces/"
                + namespace
                + "/"
                + plural
                + "/"
                + target.name()
                + "/scale";
    }
}
