package dev.sluice.simulator.server;

import dev.sluice.simulator.replica.KvCache;
import dev.sluice.simulator.replica.Replica;

import java.util.Map;
import java.util.TreeMap;

/// What the replica counts, in the names, labels and buckets of vLLM V1 (`v1/metrics/loggers.py`),
/// and beside them `sim:*`: what only a simulator can say. One thread.
final class EngineMetrics {
    private static final double[] TTFT_BOUNDS = {
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20,
        40, 80, 160, 640, 2560
    };
    private static final double[] ITL_BOUNDS = {
        0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40,
        80
    };
    private static final double[] LATENCY_BOUNDS = {
        0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680
    };

    private final String labels;
    private final Histogram ttft = new Histogram(TTFT_BOUNDS);
    private final Histogram itl = new Histogram(ITL_BOUNDS);
    private final Histogram perToken = new Histogram(ITL_BOUNDS);
    private final Histogram e2e = new Histogram(LATENCY_BOUNDS);
    private final Histogram queued = new Histogram(LATENCY_BOUNDS);
    private final Histogram prefill = new Histogram(LATENCY_BOUNDS);
    private final Histogram decode = new Histogram(LATENCY_BOUNDS);
    private final Map<String, Long> successes = new TreeMap<>();
    private long promptTokens;
    private long generationTokens;
    private long submitted;
    private long started;
    private long aborted;
    private long faulted;

    EngineMetrics(String servedModel) {
        this.labels = "engine=\"0\",model_name=\"" + servedModel.replace("\"", "\\\"") + "\"";
        for (String reason : new String[] {"stop", "length", "abort", "error"}) {
            successes.put(reason, 0L);
        }
    }

    void submitted() {
        submitted++;
    }

    void started(long queuedNanos) {
        started++;
        queued.record(queuedNanos / 1e9);
    }

    void firstToken(int prompt, long ttftNanos, long prefillNanos) {
        promptTokens += prompt;
        generationTokens++;
        ttft.record(ttftNanos / 1e9);
        prefill.record(prefillNanos / 1e9);
    }

    void token(long gapNanos) {
        generationTokens++;
        itl.record(gapNanos / 1e9);
    }

    void finished(String reason, int tokens, long e2eNanos, long decodeNanos) {
        successes.merge(reason, 1L, Long::sum);
        e2e.record(e2eNanos / 1e9);
        decode.record(decodeNanos / 1e9);
        if (tokens > 1) {
            perToken.record(decodeNanos / 1e9 / (tokens - 1));
        }
    }

    void aborted() {
        aborted++;
        successes.merge("abort", 1L, Long::sum);
    }

    /// A fault on purpose; `ranInto` when it ended a generation that had begun.
    void faulted(boolean ranInto) {
        faulted++;
        if (ranInto) {
            successes.merge("error", 1L, Long::sum);
        }
    }

    long submittedTotal() {
        return submitted;
    }

    long startedTotal() {
        return started;
    }

    long abortedTotal() {
        return aborted;
    }

    long faultedTotal() {
        return faulted;
    }

    /// Sequences that ran to their end.
    long finishedTotal() {
        return successes.getOrDefault("stop", 0L) + successes.getOrDefault("length", 0L);
    }

    /// The Prometheus text of this moment.
    String exposition(Replica replica) {
        var out = new StringBuilder(16_384);
        KvCache kv = replica.kv();
        gauge(
                out,
                "vllm:num_requests_running",
                "Number of requests in model execution batches.",
                replica.running());
        gauge(
                out,
                "vllm:num_requests_waiting",
                "Number of requests waiting to be processed.",
                replica.waiting());
        gauge(
                out,
                "vllm:kv_cache_usage_perc",
                "KV-cache usage. 1 means 100 percent usage.",
                kv.usage());
        counter(
                out,
                "vllm:prefix_cache_queries_total",
                "Prefix cache queries, in terms of number of queried tokens.",
                kv.queriedTokens());
        counter(
                out,
                "vllm:prefix_cache_hits_total",
                "Prefix cache hits, in terms of number of cached tokens.",
                kv.hitTokens());
        counter(
                out,
                "vllm:num_preemptions_total",
                "Cumulative number of preemption from the engine.",
                replica.preemptions());
        counter(
                out,
                "vllm:prompt_tokens_total",
                "Number of prefill tokens processed.",
                promptTokens);
        counter(
                out,
                "vllm:generation_tokens_total",
                "Number of generation tokens processed.",
                generationTokens);
        head(
                out,
                "vllm:request_success_total",
                "Count of successfully processed requests.",
                "counter");
        successes.forEach(
                (reason, count) ->
                        sample(
                                out,
                                "vllm:request_success_total",
                                "engine=\"0\",finished_reason=\""
                                        + reason
                                        + labels.substring("engine=\"0".length()),
                                count));
        histogram(
                out,
                "vllm:time_to_first_token_seconds",
                "Histogram of time to first token in seconds.",
                ttft);
        histogram(
                out,
                "vllm:inter_token_latency_seconds",
                "Histogram of inter-token latency in seconds.",
                itl);
        histogram(
                out,
                "vllm:request_time_per_output_token_seconds",
                "Histogram of time_per_output_token_seconds per request.",
                perToken);
        histogram(
                out,
                "vllm:e2e_request_latency_seconds",
                "Histogram of e2e request latency in seconds.",
                e2e);
        histogram(
                out,
                "vllm:request_queue_time_seconds",
                "Histogram of time spent in WAITING phase for request.",
                queued);
        histogram(
                out,
                "vllm:request_prefill_time_seconds",
                "Histogram of time spent in PREFILL phase for request.",
                prefill);
        histogram(
                out,
                "vllm:request_decode_time_seconds",
                "Histogram of time spent in DECODE phase for request.",
                decode);
        counter(out, "sim:submitted_total", "Generations asked of the engine.", submitted);
        counter(out, "sim:started_total", "Generations whose prefill began.", started);
        counter(out, "sim:aborted_total", "Generations ended because their client left.", aborted);
        counter(out, "sim:faulted_total", "Calls that met a fault on purpose.", faulted);
        return out.toString();
    }

    private void gauge(StringBuilder out, String name, String help, double value) {
        head(out, name, help, "gauge");
        sample(out, name, labels, value);
    }

    private void counter(StringBuilder out, String name, String help, long value) {
        head(out, name, help, "counter");
        sample(out, name, labels, (double) value);
    }

    private void histogram(StringBuilder out, String name, String help, Histogram histogram) {
        head(out, name, help, "histogram");
        histogram.write(out, name, labels);
    }

    private static void head(StringBuilder out, String name, String help, String type) {
        out.append("# HELP ").append(name).append(' ').append(help).append('\n');
        out.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    private static void sample(StringBuilder out, String name, String labels, double value) {
        out.append(name).append('{').append(labels).append("} ").append(value).append('\n');
    }
}
