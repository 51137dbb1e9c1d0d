package dev.sluice.proxy.pool;

import java.util.concurrent.atomic.AtomicLong;

/// Load that is not there: +4 for each failed attempt, at most 64, fading by e^(-t/5 s).
///
/// An endpoint that fails in a millisecond never has anything in flight, so by load alone it looks
/// idle and swallows the traffic (the black hole). Failed attempts therefore go on weighing on it
/// for a while.
///
/// Any thread, without locks: level (float bits) and time (milliseconds, 32 bits) share one long.
/// The time wraps after 49 days, by when every level has long faded.
final class Phantom {
    static final float PER_FAILURE = 4;
    static final float CAP = 64;
    private static final double FADE_MS = 5_000;
    private static final float NOTHING = 0.01f;

    private final AtomicLong packed = new AtomicLong();

    void add(long nowNanos) {
        int now = (int) (nowNanos / 1_000_000);
        long old;
        long next;
        do {
            old = packed.get();
            float level = Math.min(CAP, (float) level(old, now) + PER_FAILURE);
            next = ((long) Float.floatToRawIntBits(level) << 32) | (now & 0xffff_ffffL);
        } while (!packed.compareAndSet(old, next));
    }

    double level(long nowNanos) {
        long state = packed.get();
        return state == 0 ? 0 : level(state, (int) (nowNanos / 1_000_000));
    }

    private static double level(long state, int nowMs) {
        float level = Float.intBitsToFloat((int) (state >>> 32));
        if (level == 0) {
            return 0;
        }
        int age = Math.max(0, nowMs - (int) state);
        double now = level * Math.exp(-age / FADE_MS);
        return now < NOTHING ? 0 : now;
    }
}
