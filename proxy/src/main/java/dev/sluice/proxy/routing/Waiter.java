package dev.sluice.proxy.routing;

import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.Slot;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.request.Refusal;

import io.netty.util.concurrent.EventExecutor;

import java.util.List;

/// A call that asks for a slot. {@link Dispatcher#acquire} ends in exactly one of {@link #granted}
/// and {@link #refused}, on {@link #loop}, possibly before it returns; in neither once {@link
/// Dispatcher#cancel} was called.
public interface Waiter {
    InferenceRequest request();

    /// Endpoints not to be picked again; empty on a first attempt.
    List<Endpoint> tried();

    EventExecutor loop();

    /// When the call itself must have ended, by the proxy's nanosecond clock. The queue's own
    /// deadline is the dispatcher's business.
    long deadlineNanos();

    /// The slot is the call's from here: it has to release it.
    void granted(Slot slot);

    void refused(Refusal refusal);
}
