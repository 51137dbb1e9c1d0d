package dev.sluice.proxy.accounting;

import dev.sluice.proxy.request.TraceContext;
import dev.sluice.proxy.request.Tracing;

import java.util.random.RandomGenerator;

/// Sends sampled calls to an OTLP receiver. An event loop only puts the record into a bounded
/// queue; a thread of its own makes spans of it and sends them, and a receiver that is slow or gone
/// costs spans (which are counted), never time of a call.
public final class Traces implements CallObserver, AutoCloseable {
    private static final int QUEUE = 8_192;

    private final Tracing sampler;
    private final Backlog<CallRecord> backlog;

    /// @param version of this program, in the resource
    public Traces(TracesConfig config, String version, RandomGenerator random) {
        this.sampler = new TraceSampler(config.sample(), random);
        this.backlog = new Backlog<>("traces", QUEUE, new SpanExport(config, version));
    }

    /// Who decides which calls are traced.
    public Tracing sampler() {
        return sampler;
    }

    @Override
    public void ended(CallRecord call) {
        TraceContext trace = call.trace();
        if (trace != null && trace.sampled()) {
            backlog.offer(call);
        }
    }

    /// Calls whose spans were lost.
    public long dropped() {
        return backlog.dropped();
    }

    @Override
    public void close() {
        backlog.close();
    }
}
