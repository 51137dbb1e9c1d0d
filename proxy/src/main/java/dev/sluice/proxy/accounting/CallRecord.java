package dev.sluice.proxy.accounting;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.request.TraceContext;
import dev.sluice.proxy.response.Outcome;

import org.jspecify.annotations.Nullable;

import java.net.SocketAddress;
import java.util.List;

/// What is known of a call after its end: exactly one for each call.
///
/// @param startMs when its head was decoded, milliseconds since the epoch
/// @param startNanos the same moment on the clock of the attempts
/// @param client whose connection it came on; null when that is not known
/// @param trace null when the call was in none, or nobody asked
/// @param pool empty when none was found
/// @param status what the client got; 0 when it left before any
/// @param queueNanos waiting for a slot
/// @param ttftNanos from the decoded request to the first content byte; -1 without one
/// @param totalNanos from the decoded head to the last byte
/// @param overheadNanos the proxy's own share of the time to the first byte: total less queue and
///   engine
/// @param promptTokens as the engine reported, else estimated
/// @param usageReported whether the engine reported the tokens
/// @param outputTokens as reported, else events counted
/// @param reason the last pick's policy and why, as in `x-sluice-reason`; or the refusal's code
public record CallRecord(
        InferenceRequest request,
        String method,
        String path,
        String pool,
        long startMs,
        long startNanos,
        @Nullable SocketAddress client,
        @Nullable TraceContext trace,
        Outcome outcome,
        int status,
        List<Attempt> attempts,
        long queueNanos,
        long ttftNanos,
        long totalNanos,
        long overheadNanos,
        int promptTokens,
        boolean usageReported,
        int outputTokens,
        long bytesIn,
        long bytesOut,
        String reason) {

    /// One exchange.
    ///
    /// @param endpoint its id
    /// @param reason why this endpoint
    /// @param status the engine's; 0 without a response
    /// @param reused whether it ran on a pooled connection
    /// @param span the id of its span; null when none is made
    public record Attempt(
            String endpoint,
            String reason,
            AttemptResult result,
            int status,
            boolean reused,
            long startNanos,
            long endNanos,
            @Nullable String span) {}
}
