package dev.sluice.autoscaler.decision;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// What was decided in the last hour, oldest first: what the scale-down window and the flap budget
/// look at.
public record History(List<Step> steps) {
    public static final History EMPTY = new History(List.of());

    /// A change in the other direction within this time of the one before is a reversal.
    private static final long REVERSAL_MS = 600_000;

    /// @param need as in the recommendation; at least what was there while signals were stale
    public record Step(long timeMs, int need, int from, int to) {
        /// But for the time.
        private boolean equal(Step other) {
            return need == other.need && from == other.from && to == other.to;
        }
    }

    public History add(Recommendation r, long keepMs) {
        return with(new Step(r.timeMs(), r.need(), r.from(), r.replicas()), keepMs);
    }

    /// This history with one more step. Of a row of equal steps the first and the last tell all; of
    /// those older than `keepMs` the last one stays: it says what was needed at the horizon.
    History with(Step next, long keepMs) {
        int n = steps.size();
        boolean inARow = n > 1 && next.equal(steps.get(n - 1)) && next.equal(steps.get(n - 2));
        int first = 0;
        while (first + 1 < n && next.timeMs - steps.get(first + 1).timeMs > keepMs) {
            first++;
        }
        var kept = new ArrayList<>(steps.subList(first, inARow && first < n - 1 ? n - 1 : n));
        kept.add(next);
        return new History(Collections.unmodifiableList(kept));
    }

    /// The largest need since then; 0 without any.
    int maxNeed(long sinceMs) {
        int max = 0;
        for (Step s : steps) {
            if (s.timeMs >= sinceMs) {
                max = Math.max(max, s.need);
            }
        }
        return max;
    }

    /// Whether decisions were made from then on.
    boolean reaches(long sinceMs) {
        return !steps.isEmpty() && steps.getFirst().timeMs <= sinceMs;
    }

    /// How often the direction turned within ten minutes, in the last hour.
    public int reversals(long nowMs) {
        int count = 0;
        @Nullable Step last = null;
        for (Step s : steps) {
            if (s.to == s.from || nowMs - s.timeMs > 3_600_000) {
                continue;
            }
            if (last != null
                    && (s.to > s.from) != (last.to > last.from)
                    && s.timeMs - last.timeMs <= REVERSAL_MS) {
                count++;
            }
            last = s;
        }
        return count;
    }
}
