package dev.sluice.proxy.pool;

import dev.sluice.shared.EngineLoad;

import org.jspecify.annotations.Nullable;

/// What an endpoint's engine said of itself.
///
/// @param kind as `vllm`, `sglang`, `llamacpp`, `plain`
/// @param version as it says; empty when it does not
/// @param load the last scrape; null when there was none
/// @param loadAtNanos when that was, by the proxy's clock
public record EngineReport(
        String kind, String version, @Nullable EngineLoad load, long loadAtNanos) {}
