package dev.sluice.proxy.pool;

import dev.sluice.shared.EngineKind;

import org.jspecify.annotations.Nullable;

import java.util.Set;

/// What answers at an endpoint, found by asking it.
///
/// @param version as it says; empty when it does not
/// @param slots how many requests it runs at once, where it says so
/// @param models from its `/v1/models`; null when it did not say
record Engine(
        EngineKind kind, String version, @Nullable Integer slots, @Nullable Set<String> models) {}
