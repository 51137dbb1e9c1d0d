package dev.sluice.proxy.pool;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;

import dev.sluice.proxy.pool.EngineClient.Answer;
import dev.sluice.shared.EngineKind;
import dev.sluice.shared.EngineLoad;

import org.jspecify.annotations.Nullable;

import java.util.LinkedHashSet;
import java.util.Set;

/// Probes an endpoint and finds out which engine it is. Blocking: virtual threads only.
///
/// An engine is known by a path that only it has. Order matters: llama.cpp and SGLang also answer
/// some of Ollama's paths, and trtllm-serve answers vLLM's `/version`.
final class Inspector {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final EngineClient client;

    Inspector(EngineClient client) {
        this.client = client;
    }

    /// One probe.
    ///
    /// @param known null: find out; from then on only its health path is asked
    /// @param refresh whether to read its models again
    Finding probe(EndpointUrl url, HealthConfig config, @Nullable Engine known, boolean refresh)
            throws InterruptedException {
        Answer health = health(url, config, known);
        if (health instanceof Answer.Unreachable(String why)) {
            return new Finding.Failed(why, false, false);
        }
        if (health instanceof Answer.Silent(String why)) {
            return new Finding.Failed(why, true, true);
        }
        if (health instanceof Answer.Broken(String why)) {
            return new Finding.Failed(why, true, false);
        }
        if (health instanceof Answer.Got got && !alive(got)) {
            return new Finding.Failed("health answers " + got.status(), true, false);
        }
        if (known == null) {
            return new Finding.Alive(identify(url, config));
        }
        if (!refresh) {
            return new Finding.Alive(known);
        }
        Set<String> models = models(url, config);
        return new Finding.Alive(
                new Engine(
                        known.kind(),
                        known.version(),
                        known.slots(),
                        models == null ? known.models() : models));
    }

    /// One scrape; null when it did not answer.
    @Nullable EngineLoad scrape(EndpointUrl url, HealthConfig config, EngineKind kind)
            throws InterruptedException {
        return client.get(url, kind.metricsPath(), config.timeout()) instanceof Answer.Got got
                        && got.ok()
                ? kind.read(got.body())
                : null;
    }

    /// An engine without its health path that serves its models is alive.
    private Answer health(EndpointUrl url, HealthConfig config, @Nullable Engine known)
            throws InterruptedException {
        boolean configured = !config.path().isEmpty();
        String path =
                configured ? config.path() : known == null ? "/health" : known.kind().healthPath();
        Answer answer = client.get(url, path, config.timeout());
        boolean absent =
                answer instanceof Answer.Got got
                        && (got.status() == 404 || got.status() == 405 || got.status() == 501);
        return absent && !configured ? client.get(url, "/v1/models", config.timeout()) : answer;
    }

    /// 401 and 403 come from an engine that wants a key: it lives.
    private static boolean alive(Answer.Got got) {
        return got.ok() || got.status() == 401 || got.status() == 403;
    }

    private Engine identify(EndpointUrl url, HealthConfig config) throws InterruptedException {
        Set<String> models = models(url, config);
        if (json(url, config, "/get_model_info").has("model_path")) {
            return new Engine(EngineKind.SGLANG, "", null, models);
        }
        JsonNode version = json(url, config, "/version");
        if (version.has("version")) {
            boolean trtllm =
                    client.get(url, EngineKind.TRTLLM.metricsPath(), config.timeout())
                                    instanceof Answer.Got got
                            && got.ok();
            return new Engine(
                    trtllm ? EngineKind.TRTLLM : EngineKind.VLLM,
                    version.path("version").asText(""),
                    null,
                    models);
        }
        JsonNode props = json(url, config, "/props");
        if (props.has("total_slots")) {
            int slots = props.path("total_slots").asInt();
            return new Engine(
                    EngineKind.LLAMACPP,
                    props.path("build_info").asText(""),
                    slots > 0 ? slots : null,
                    models);
        }
        JsonNode info = json(url, config, "/info");
        if (info.has("model_id")) {
            return new Engine(EngineKind.TGI, info.path("version").asText(""), null, models);
        }
        JsonNode triton = json(url, config, "/v2");
        if (triton.has("extensions")) {
            return new Engine(EngineKind.TRITON, triton.path("version").asText(""), null, models);
        }
        if (json(url, config, "/api/tags").has("models")) {
            return new Engine(EngineKind.OLLAMA, "", null, models);
        }
        return new Engine(EngineKind.PLAIN, "", null, models);
    }

    private @Nullable Set<String> models(EndpointUrl url, HealthConfig config)
            throws InterruptedException {
        JsonNode data = json(url, config, "/v1/models").path("data");
        if (!data.isArray()) {
            return null;
        }
        var out = new LinkedHashSet<String>();
        for (JsonNode model : data) {
            if (model.path("id").isTextual()) {
                out.add(model.path("id").asText());
            }
        }
        return out.isEmpty() ? null : out;
    }

    /// The answer as JSON; missing when there is none.
    private JsonNode json(EndpointUrl url, HealthConfig config, String path)
            throws InterruptedException {
        if (!(client.get(url, path, config.timeout()) instanceof Answer.Got got) || !got.ok()) {
            return MissingNode.getInstance();
        }
        try {
            JsonNode root = JSON.readTree(got.body());
            return root == null ? MissingNode.getInstance() : root;
        } catch (JsonProcessingException e) {
            return MissingNode.getInstance();
        }
    }

    sealed interface Finding {
        record Alive(Engine engine) implements Finding {}

        record Failed(String why, boolean connected, boolean silent) implements Finding {}
    }
}
