package dev.sluice.shared;

import org.jspecify.annotations.Nullable;

/// What an inference engine reports of its load. Null means that it does not report it, never zero.
/// Over several data-parallel ranks of one address counts are sums and shares are maxima.
///
/// @param running sequences in the batch
/// @param waiting requests in the engine's own queue
/// @param kvUsage share of the KV cache in use, 0 to 1
/// @param preemptions since the engine's start; its slope says that memory is short
public record EngineLoad(
        @Nullable Double running,
        @Nullable Double waiting,
        @Nullable Double kvUsage,
        @Nullable Double preemptions) {

    /// Nothing is reported.
    public static final EngineLoad NONE = new EngineLoad(null, null, null, null);
}
