package dev.sluice.simulator.trace;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.List;

/// One call of a trace.
///
/// @param arrival time after the first call
/// @param inputTokens prompt tokens, at least 1
/// @param outputTokens tokens of the answer, at least 1
/// @param clientId who made it, or null where the trace does not say
/// @param blocks ids of the prompt's blocks of {@link #BLOCK_TOKENS} tokens: equal ids, equal
///   content; empty where the trace does not say
public record TraceCall(
        Duration arrival,
        int inputTokens,
        int outputTokens,
        @Nullable String clientId,
        List<Long> blocks) {
    public static final int BLOCK_TOKENS = 512;

    public TraceCall {
        blocks = List.copyOf(blocks);
    }
}
