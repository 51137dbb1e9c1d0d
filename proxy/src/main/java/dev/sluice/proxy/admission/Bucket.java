package dev.sluice.proxy.admission;

import java.util.concurrent.atomic.AtomicLong;

/// A rate limit over a minute, filled evenly: the generic cell rate algorithm (ITU-T I.371) in one
/// atomic, the time at which all that was taken will have been paid back. A whole minute's amount
/// may be taken at once. Any thread; never blocks.
final class Bucket {
    private static final long MINUTE = 60_000_000_000L;

    private final double nanosPerUnit;
    private final AtomicLong paidBack;

    Bucket(int perMinute, long nowNanos) {
        this.nanosPerUnit = (double) MINUTE / perMinute;
        this.paidBack = new AtomicLong(nowNanos);
    }

    /// Takes `amount`, if that much is left.
    ///
    /// @return 0 when taken, else nanoseconds until it could be. More than a minute's amount is
    ///   taken whenever the bucket is full: it would never fit otherwise
    long take(long amount, long nowNanos) {
        while (true) {
            long before = paidBack.get();
            long from = Math.max(before, nowNanos);
            long cost = Math.min(MINUTE, (long) (amount * nanosPerUnit));
            long wait = from + cost - nowNanos - MINUTE;
            if (wait > 0) {
                return wait;
            }
            if (paidBack.compareAndSet(before, from + (long) (amount * nanosPerUnit))) {
                return 0;
            }
        }
    }

    /// Takes more, or gives back, once the true amount is known.
    void correct(long amount) {
        paidBack.addAndGet((long) (amount * nanosPerUnit));
    }
}
