package dev.sluice.shared;

import dev.sluice.shared.PrometheusText.Sample;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.DoubleBinaryOperator;
import java.util.function.Predicate;

/// The inference engines that Sluice knows: where each answers a probe without spending tokens,
/// where its metrics are, and what they are called.
///
/// Names are matched exactly (engines have families of similar ones). Queues are summed and KV use
/// is maxed over data-parallel ranks. What an engine does not report is null.
public enum EngineKind {
    /// Also before V1, where the KV metric had another name.
    VLLM("/health", "/metrics"),
    SGLANG("/health", "/metrics"),
    LLAMACPP("/health", "/metrics"),
    TGI("/health", "/metrics"),
    /// Triton Inference Server, with or without its TensorRT-LLM backend.
    TRITON("/v2/health/ready", "/metrics"),
    /// TensorRT-LLM's own server; its `/metrics` is JSON about iterations.
    TRTLLM("/health", "/prometheus/metrics"),
    OLLAMA("/api/version", ""),
    /// Anything else that serves OpenAI's paths.
    PLAIN("/v1/models", "");

    private static final Set<String> NAMES =
            Set.of(
                    "vllm:num_requests_waiting",
                    "vllm:num_requests_running",
                    "vllm:kv_cache_usage_perc",
                    "vllm:gpu_cache_usage_perc",
                    "vllm:num_preemptions_total",
                    "sglang:num_queue_reqs",
                    "sglang:num_running_reqs",
                    "sglang:token_usage",
                    "llamacpp:requests_deferred",
                    "llamacpp:requests_processing",
                    "tgi_queue_size",
                    "tgi_batch_current_size",
                    "nv_trt_llm_request_metrics",
                    "nv_trt_llm_kv_cache_block_metrics",
                    "nv_inference_pending_request_count",
                    "trtllm_num_requests_waiting",
                    "trtllm_num_requests_running",
                    "trtllm_kv_cache_utilization");

    private final String healthPath;
    private final String metricsPath;

    EngineKind(String healthPath, String metricsPath) {
        this.healthPath = healthPath;
        this.metricsPath = metricsPath;
    }

    /// As in the admin API: `vllm`, `llamacpp`, `plain`.
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    public String healthPath() {
        return healthPath;
    }

    /// Empty when it has none.
    public String metricsPath() {
        return metricsPath;
    }

    /// Reads the answer of {@link #metricsPath}.
    public EngineLoad read(String metrics) {
        List<Sample> page = PrometheusText.read(metrics, NAMES);
        return switch (this) {
            case VLLM -> vllm(page);
            case SGLANG -> sglang(page);
            case LLAMACPP ->
                    new EngineLoad(
                            sum(page, "llamacpp:requests_processing"),
                            sum(page, "llamacpp:requests_deferred"),
                            null,
                            null);
            case TGI ->
                    new EngineLoad(
                            sum(page, "tgi_batch_current_size"),
                            sum(page, "tgi_queue_size"),
                            null,
                            null);
            case TRITON -> triton(page);
            case TRTLLM ->
                    new EngineLoad(
                            sum(page, "trtllm_num_requests_running"),
                            sum(page, "trtllm_num_requests_waiting"),
                            max(page, "trtllm_kv_cache_utilization"),
                            null);
            case OLLAMA, PLAIN -> EngineLoad.NONE;
        };
    }

    private static EngineLoad vllm(List<Sample> page) {
        Double kv = max(page, "vllm:kv_cache_usage_perc");
        return new EngineLoad(
                sum(page, "vllm:num_requests_running"),
                sum(page, "vllm:num_requests_waiting"),
                kv == null ? max(page, "vllm:gpu_cache_usage_perc") : kv,
                sum(page, "vllm:num_preemptions_total"));
    }

    /// Each tensor-parallel rank reports the same requests, so only the first counts; the queue is
    /// reported once in all and once for each priority.
    private static EngineLoad sglang(List<Sample> page) {
        Predicate<Sample> first =
                s -> s.label("tp_rank").isEmpty() || s.label("tp_rank").equals("0");
        return new EngineLoad(
                fold(page, "sglang:num_running_reqs", first, Double::sum),
                fold(
                        page,
                        "sglang:num_queue_reqs",
                        first.and(s -> s.label("priority").isEmpty()),
                        Double::sum),
                fold(page, "sglang:token_usage", first, Math::max),
                null);
    }

    private static EngineLoad triton(List<Sample> page) {
        String requests = "nv_trt_llm_request_metrics";
        Double waiting =
                fold(page, requests, s -> s.label("request_type").equals("waiting"), Double::sum);
        return new EngineLoad(
                fold(page, requests, s -> s.label("request_type").equals("scheduled"), Double::sum),
                waiting == null ? sum(page, "nv_inference_pending_request_count") : waiting,
                fold(
                        page,
                        "nv_trt_llm_kv_cache_block_metrics",
                        s -> s.label("kv_cache_block_type").equals("fraction"),
                        Math::max),
                null);
    }

    private static @Nullable Double sum(List<Sample> page, String name) {
        return fold(page, name, s -> true, Double::sum);
    }

    private static @Nullable Double max(List<Sample> page, String name) {
        return fold(page, name, s -> true, Math::max);
    }

    private static @Nullable Double fold(
            List<Sample> page, String name, Predicate<Sample> which, DoubleBinaryOperator join) {
        Double out = null;
        for (Sample sample : page) {
            if (sample.name().equals(name) && which.test(sample)) {
                out = out == null ? sample.value() : join.applyAsDouble(out, sample.value());
            }
        }
        return out;
    }
}
