package dev.sluice.proxy.pool;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// The last ten seconds of an endpoint's ever-growing totals: a ring of ten readings, one each
/// second; now minus the oldest is the window. Control thread only.
final class Window {
    private static final int SECONDS = 10;

    private final Totals[] ring = new Totals[SECONDS];
    private int oldest;

    Window(Totals now) {
        clear(now);
    }

    /// One second passed.
    void tick(Totals now) {
        ring[oldest] = now;
        oldest = (oldest + 1) % SECONDS;
    }

    /// Forgets: what happened before an ejection says nothing of the time after it.
    void clear(Totals now) {
        Arrays.fill(ring, now);
    }

    Recent recent(Totals now) {
        Totals then = ring[oldest];
        return new Recent(
                now.requests - then.requests,
                now.failures - then.failures,
                mean(now.ttftNanos - then.ttftNanos, now.firstBytes - then.firstBytes),
                mean(now.gapNanos - then.gapNanos, now.gaps - then.gaps),
                now.tokens - then.tokens,
                now.busyNanos - then.busyNanos);
    }

    private static @Nullable Double mean(long sum, long count) {
        return count <= 0 ? null : (double) sum / count;
    }

    /// A reading of an endpoint's totals.
    record Totals(
            long requests,
            long failures,
            long firstBytes,
            long ttftNanos,
            long gaps,
            long gapNanos,
            long tokens,
            long busyNanos) {}
}
