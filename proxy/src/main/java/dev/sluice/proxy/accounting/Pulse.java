package dev.sluice.proxy.accounting;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// The last minutes of each pool, second by second: meters only count up, so rates and recent
/// percentiles come from their differences.
///
/// One thread beats once a second, which costs a few microseconds for each pool; any thread reads
/// the published history.
public final class Pulse {
    /// How far back the history reaches, in beats.
    public static final int BEATS = 300;

    private static final int MINUTE = 60;
    private static final int SMOOTH = 10;

    private final Supplier<List<PoolView>> pools;
    private final CallMeters meters;
    private final Map<PoolView, Deque<Sum>> sums = new LinkedHashMap<>();
    private volatile Map<String, History> history = Map.of();

    /// What was seen in one second.
    ///
    /// @param failuresPerSecond by the upstream's fault
    /// @param refusalsPerSecond for want of capacity
    /// @param ready endpoints that take calls
    /// @param ttftP50Ms over the last 10 s; null without calls, as the next
    public record Beat(
            long timeMs,
            double callsPerSecond,
            double failuresPerSecond,
            double refusalsPerSecond,
            double outputTokensPerSecond,
            int inFlight,
            int queued,
            int ready,
            @Nullable Double ttftP50Ms,
            @Nullable Double ttftP95Ms) {}

    /// @param beats oldest first
    /// @param ttftP95MinuteMs over the last 60 s; null without calls
    public record History(List<Beat> beats, @Nullable Double ttftP95MinuteMs) {
        static final History NONE = new History(List.of(), null);
    }

    /// Totals at a beat.
    private record Sum(
            long nanos, long ended, long failed, long refused, long tokens, TtftCounts ttft) {}

    /// Wraps an array, for a record's sake.
    private static final class TtftCounts {
        private final long[] counts;

        TtftCounts(long[] counts) {
            this.counts = counts;
        }

        @Nullable Double quantileMsSince(TtftCounts before, double q) {
            long[] between = new long[counts.length];
            for (int i = 0; i < counts.length; i++) {
                between[i] = counts[i] - before.counts[i];
            }
            Double seconds = Buckets.quantile(PoolMeters.FINE_TTFT, between, q);
            return seconds == null ? null : seconds * 1e3;
        }
    }

    public Pulse(Supplier<List<PoolView>> pools, CallMeters meters) {
        this.pools = pools;
        this.meters = meters;
    }

    /// Takes the next second's look; always the same thread.
    public void beat(long nowNanos, long nowMs) {
        List<PoolView> now = pools.get();
        sums.keySet().retainAll(now);
        now.forEach(pool -> sums.computeIfAbsent(pool, _ -> new ArrayDeque<>()));
        var next = new LinkedHashMap<String, History>();
        sums.forEach(
                (view, past) -> {
                    String name = view.pool().name();
                    next.put(name, beat(view, past, of(name), nowNanos, nowMs));
                });
        history = next;
    }

    /// Empty before the first beat.
    public History of(String pool) {
        return history.getOrDefault(pool, History.NONE);
    }

    private History beat(
            PoolView view, Deque<Sum> past, History before, long nowNanos, long nowMs) {
        Sum now = sum(view.pool().name(), nowNanos);
        past.addLast(now);
        while (past.size() > MINUTE + 1) {
            past.removeFirst();
        }
        List<Sum> all = List.copyOf(past);
        Sum last = all.get(Math.max(0, all.size() - 2));
        TtftCounts smooth = all.get(Math.max(0, all.size() - 1 - SMOOTH)).ttft();
        double seconds = Math.max(1e-3, (now.nanos() - last.nanos()) / 1e9);
        var beats = new ArrayList<>(before.beats());
        if (beats.size() == BEATS) {
            beats.removeFirst();
        }
        beats.add(
                new Beat(
                        nowMs,
                        (now.ended() - last.ended()) / seconds,
                        (now.failed() - last.failed()) / seconds,
                        (now.refused() - last.refused()) / seconds,
                        (now.tokens() - last.tokens()) / seconds,
                        view.inFlight(),
                        view.queue().waiting(),
                        view.ready(),
                        now.ttft().quantileMsSince(smooth, 0.5),
                        now.ttft().quantileMsSince(smooth, 0.95)));
        return new History(
                List.copyOf(beats), now.ttft().quantileMsSince(all.getFirst().ttft(), 0.95));
    }

    private Sum sum(String pool, long nowNanos) {
        PoolMeters counts = meters.pool(pool);
        long ended = 0;
        for (Ending ending : Ending.values()) {
            ended += counts.ended(ending);
        }
        return new Sum(
                nowNanos,
                ended,
                counts.ended(Ending.FAILED),
                counts.ended(Ending.SATURATED),
                counts.outputTokens.sum(),
                new TtftCounts(counts.ttft.counts()));
    }
}
