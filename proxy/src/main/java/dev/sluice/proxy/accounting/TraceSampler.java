package dev.sluice.proxy.accounting;

import dev.sluice.proxy.http.RequestHead;
import dev.sluice.proxy.request.TraceContext;
import dev.sluice.proxy.request.Tracing;

import java.util.HexFormat;
import java.util.random.RandomGenerator;

/// Gives each call a span of its own: in the caller's trace, sampled as the caller decided, or in a
/// new one, of which a share is sampled. Engines get the decision and follow it.
///
/// @param share of new traces that is sampled
record TraceSampler(double share, RandomGenerator random) implements Tracing {
    @Override
    public TraceContext begin(RequestHead head) {
        TraceContext caller = TraceContext.incoming(head);
        if (caller != null) {
            return caller.under(id());
        }
        return new TraceContext(id() + id(), null, id(), random.nextDouble() < share);
    }

    /// 16 hexadecimal digits, not all 0.
    private String id() {
        long id = random.nextLong();
        return HexFormat.of().toHexDigits(id == 0 ? 1 : id);
    }
}
