package dev.sluice.proxy.request;

import dev.sluice.proxy.http.RequestHead;

import org.jspecify.annotations.Nullable;

/// Places calls in traces.
@FunctionalInterface
public interface Tracing {
    /// Looks at nothing: `traceparent` and `tracestate` pass to the engine like any other header.
    Tracing OFF = head -> null;

    /// @return null when the call belongs to no trace that anybody here asks for
    @Nullable TraceContext begin(RequestHead head);
}
