package dev.sluice.proxy.accounting;

import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/// Counts the client connections that the proxy itself ended, by why. Any thread.
public final class ClientMeters {
    private final Map<Closed, LongAdder> closed = Adders.of(Closed.class);

    /// Why a connection was closed against its client's will.
    public enum Closed {
        /// On accept: `server.max_connections`.
        MAX_CONNECTIONS,
        /// On accept: `server.max_connections_per_address`.
        MAX_PER_ADDRESS,
        /// No whole request head within `server.head_timeout`.
        SLOW_HEAD,
        /// A body below `server.min_body_rate`.
        SLOW_BODY,
        /// A body that was not whole within `timeouts.request`.
        LONG_BODY,
        /// No byte of a response taken within `timeouts.client_stall`.
        STALLED
    }

    public void closed(Closed why) {
        Adders.get(closed, why).increment();
    }

    public long count(Closed why) {
        return Adders.get(closed, why).sum();
    }
}
