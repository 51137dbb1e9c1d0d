package dev.sluice.simulator.replay;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

import java.util.Map;

/// What became of a replay. Every call is in exactly one of ok, failed, shed and cancelled.
///
/// @param calls calls begun
/// @param ok answered 200, to the end of the stream
/// @param failed any other ending that nobody asked for; `failures` says which
/// @param shed refused with 429 or 503
/// @param cancelled left by the client on purpose
/// @param ttftMillis intended start to first token; null when there was none
/// @param itlMillis gaps between tokens of one stream
/// @param e2eMillis intended start to last byte of calls that were ok
/// @param lagMillis intended start to request written: high values accuse the client, not the
///   server
/// @param endpoints calls answered by each endpoint
/// @param failures what went wrong, by kind
/// @param outputTokens by the usage that the server reported
/// @param cachedTokens prompt tokens found in a prefix cache, by the same
/// @param peakInFlight most calls open at once
/// @param seconds from the first intended start to the last ending
public record ReplaySummary(
        long calls,
        long ok,
        long failed,
        long shed,
        long cancelled,
        @Nullable Quantiles ttftMillis,
        @Nullable Quantiles itlMillis,
        @Nullable Quantiles e2eMillis,
        @Nullable Quantiles lagMillis,
        Map<String, Long> endpoints,
        Map<String, Failure> failures,
        long promptTokens,
        long cachedTokens,
        long outputTokens,
        long peakInFlight,
        double seconds) {

    /// Percentiles in milliseconds.
    public record Quantiles(double p50, double p95, double p99, double max) {
        /// Of a histogram in microseconds, or null when it is empty.
        static @Nullable Quantiles of(Histogram micros) {
            if (micros.getTotalCount() == 0) {
                return null;
            }
            return new Quantiles(
                    micros.getValueAtPercentile(50) / 1e3,
                    micros.getValueAtPercentile(95) / 1e3,
                    micros.getValueAtPercentile(99) / 1e3,
                    micros.getMaxValue() / 1e3);
        }
    }

    /// One kind of failure.
    ///
    /// @param example what the first of them said
    public record Failure(long count, String example) {}

    /// As `replay --json` writes it. A distribution without samples is null, not zero.
    public ObjectNode toJson() {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("calls", calls);
        root.put("ok", ok);
        root.put("failed", failed);
        root.put("shed", shed);
        root.put("cancelled", cancelled);
        put(root, "ttft_ms", ttftMillis);
        put(root, "itl_ms", itlMillis);
        put(root, "e2e_ms", e2eMillis);
        put(root, "client_lag_ms", lagMillis);
        ObjectNode shares = root.putObject("endpoints");
        endpoints.forEach(shares::put);
        ObjectNode kinds = root.putObject("failures");
        failures.forEach(
                (kind, failure) ->
                        kinds.putObject(kind)
                                .put("count", failure.count)
                                .put("example", failure.example));
        root.put("prompt_tokens", promptTokens);
        root.put("cached_tokens", cachedTokens);
        root.put("output_tokens", outputTokens);
        root.put("peak_in_flight", peakInFlight);
        root.put("seconds", seconds);
        return root;
    }

    private static void put(ObjectNode root, String name, @Nullable Quantiles quantiles) {
        if (quantiles == null) {
            root.putNull(name);
            return;
        }
        root.putObject(name)
                .put("p50", quantiles.p50)
                .put("p95", quantiles.p95)
                .put("p99", quantiles.p99)
                .put("max", quantiles.max);
    }
}
