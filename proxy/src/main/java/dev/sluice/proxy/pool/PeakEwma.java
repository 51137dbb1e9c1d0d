package dev.sluice.proxy.pool;

import java.util.concurrent.atomic.AtomicLong;

/// A latency estimate that believes bad news at once and good news slowly: a sample above the
/// estimate replaces it, one below is averaged in with weight 1 − e^(-t/10 s), t being the time
/// since the sample before. From Finagle's `PeakEwma` balancer (Twitter, 2014), without its decay
/// while nothing is sampled: an endpoint that gets no calls keeps its estimate until the random
/// choice of two tries it again.
///
/// Any thread, without locks: the estimate (float, nanoseconds) and time (milliseconds, 32 bits)
/// share one long; zero means "no sample yet".
final class PeakEwma {
    private static final double DECAY_MS = 10_000;

    private final AtomicLong packed = new AtomicLong();

    void sample(long nanos, long nowNanos) {
        int now = (int) (nowNanos / 1_000_000);
        long old;
        long next;
        do {
            old = packed.get();
            float estimate = (float) Math.max(1, nanos);
            float before = Float.intBitsToFloat((int) (old >>> 32));
            if (estimate < before) {
                int age = Math.max(0, now - (int) old);
                double keep = Math.exp(-age / DECAY_MS);
                estimate = (float) (before * keep + estimate * (1 - keep));
            }
            next = ((long) Float.floatToRawIntBits(estimate) << 32) | (now & 0xffff_ffffL);
        } while (!packed.compareAndSet(old, next));
    }

    /// Nanoseconds; 0 before the first sample.
    double nanos() {
        return Float.intBitsToFloat((int) (packed.get() >>> 32));
    }
}
