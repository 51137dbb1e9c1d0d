package dev.sluice.autoscaler.target;

import dev.sluice.autoscaler.signal.Replicas.ColdStart;

import java.util.ArrayDeque;

/// Learns how long a replica takes from its start to ready, from the last {@link #KEPT} starts.
public final class ColdStarts {
    private static final int KEPT = 100;

    private final ArrayDeque<Long> times = new ArrayDeque<>();

    public void add(long millis) {
        if (times.size() == KEPT) {
            times.removeFirst();
        }
        times.addLast(millis);
    }

    public ColdStart quantiles() {
        if (times.isEmpty()) {
            return ColdStart.UNKNOWN;
        }
        long[] sorted = times.stream().mapToLong(Long::longValue).sorted().toArray();
        // A few starts say little about the slowest one, so the guess still bounds it.
        long p99 = sorted[(int) Math.ceil(sorted.length * 0.99) - 1];
        return new ColdStart(
                sorted[(sorted.length - 1) / 2],
                sorted.length < 5 ? Math.max(p99, ColdStart.UNKNOWN.p99Ms()) : p99,
                sorted.length);
    }
}
