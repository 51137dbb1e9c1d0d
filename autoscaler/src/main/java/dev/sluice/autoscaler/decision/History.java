package dev.sluice.autoscaler.decision;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// What was decided in the last hour, oldest first: what the scale-down window and the flap budget
/// look at.
public record History(List<Step> steps) {
    public static final History EMPTY = new History(List.of());

    /// A change in the other direction within this time of the one before is a reversal.
    private static final long REVERSAL_MS = 600_000;

    /// @param need as in the recommendation; at least what was there while signals were stale
    public record Step(long timeMs, int need, int from, int to) {}

    public History add(Recommendation r, long keepMs) {
        var kept = new ArrayList<Step>(steps.size() + 1);
        for (Step s : steps) {
            if (r.timeMs() - s.timeMs <= keepMs) {
                kept.add(s);
            }
        }
        kept.add(new Step(r.timeMs(), r.need(), r.from(), r.replicas()));
        return new History(List.copyOf(kept));
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
