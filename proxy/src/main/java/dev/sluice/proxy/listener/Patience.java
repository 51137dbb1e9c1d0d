package dev.sluice.proxy.listener;

import java.util.concurrent.TimeUnit;

/// What an HTTP/2 connection may cost without use: points that frames take and answers give back. A
/// client that gets answers may reset hundreds of calls; one that only makes work is sent away
/// after fifty calls or a thousand frames (CVE-2023-44487, CVE-2025-8671, CVE-2019-9512 to 9518).
///
/// A share of the answers rather than a count of resets, as Envoy's
/// premature_reset_min_stream_lifetime and HAProxy's glitches do: a gateway in front brings the
/// resets of many clients on one connection. One thread.
final class Patience {
    /// A frame that asks for nothing: PING, PRIORITY, WINDOW_UPDATE, unknown ones.
    static final int CONTROL = 1;

    /// SETTINGS, which a client sends once or twice and which are to be acknowledged.
    static final int SETTINGS = 10;

    /// A call that its client resets before it is served.
    static final int RESET = 5;

    /// The same within {@link #PREMATURE_NANOS} of its beginning, which people hardly do.
    static final int PREMATURE_RESET = 20;

    static final long PREMATURE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    /// A request whose head is refused, or that is one too many at once.
    static final int REFUSED = 5;

    /// A stream that the client breaks, so that the proxy has to reset it.
    static final int BROKEN = 50;

    /// The head of a 2xx: as much as a reset in its first moment, of which a gateway that hedges
    /// makes one for each answer.
    static final int SERVED = 20;

    /// A frame of its data, which a few WINDOW_UPDATE may follow.
    static final int DATA = 4;

    private static final int AT_FIRST = 1000;
    private static final int MOST = 10_000;
    private static final long REFILL_NANOS = TimeUnit.SECONDS.toNanos(30);

    private long points = AT_FIRST;
    private long refilledAt;

    Patience(long nowNanos) {
        refilledAt = nowNanos;
    }

    void earn(int what) {
        points = Math.min(MOST, points + what);
    }

    /// @return whether the connection may go on
    boolean spend(int what, long nowNanos) {
        if (nowNanos - refilledAt >= REFILL_NANOS) {
            refilledAt = nowNanos;
            points = Math.max(points, AT_FIRST);
        }
        points -= what;
        return points >= 0;
    }
}
