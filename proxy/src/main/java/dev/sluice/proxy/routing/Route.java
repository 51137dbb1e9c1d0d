package dev.sluice.proxy.routing;

import dev.sluice.proxy.request.Refusal;

/// Where a call goes.
public sealed interface Route {
    record To(Dispatcher dispatcher) implements Route {}

    record Nowhere(Refusal refusal) implements Route {}
}
