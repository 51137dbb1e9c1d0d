package dev.sluice.proxy.pool;

/// How long an endpoint that said "too busy" is left alone: what it asked for, at least 1 s (a
/// shorter pause finds the same queue), at most 30 s (a longer one would be an outage by header).
final class Cooldown {
    private static final long LEAST = 1_000_000_000L;
    private static final long MOST = 30_000_000_000L;

    private Cooldown() {}

    static long nanos(long asked) {
        return Math.clamp(asked, LEAST, MOST);
    }
}
