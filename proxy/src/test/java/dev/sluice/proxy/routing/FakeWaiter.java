package dev.sluice.proxy.routing;

import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.Slot;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.request.Refusal;

import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ImmediateEventExecutor;

import java.util.List;

/// A call that only waits, and remembers what it was told.
final class FakeWaiter implements Waiter {
    private final InferenceRequest request;
    final List<Endpoint> tried;
    final EventExecutor loop;
    final long deadlineNanos;
    Slot slot;
    Refusal refusal;
    int answers;

    FakeWaiter() {
        this("", List.of(), ImmediateEventExecutor.INSTANCE, Long.MAX_VALUE / 2);
    }

    FakeWaiter(String model, List<Endpoint> tried, EventExecutor loop, long deadlineNanos) {
        this.request = new InferenceRequest("id", Api.CHAT, model, true, 100, 0, "", null);
        this.tried = tried;
        this.loop = loop;
        this.deadlineNanos = deadlineNanos;
    }

    @Override
    public InferenceRequest request() {
        return request;
    }

    @Override
    public List<Endpoint> tried() {
        return tried;
    }

    @Override
    public EventExecutor loop() {
        return loop;
    }

    @Override
    public long deadlineNanos() {
        return deadlineNanos;
    }

    @Override
    public void granted(Slot granted) {
        slot = granted;
        answers++;
    }

    @Override
    public void refused(Refusal refused) {
        refusal = refused;
        answers++;
    }
}
