package dev.sluice.autoscaler.kubernetes;

import dev.sluice.autoscaler.kubernetes.Pods.View;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// When pods were first seen in each state, by our own clock: the API server's, and that of an
/// autoscaler before us, may be another. Only what stood there at the first look is dated by the
/// server, and never into the future; but a mark counts from our first sight of it, since a clock
/// that was behind would end a drain before its limit. One thread.
final class Sightings {
    private final Map<String, Seen> pods = new HashMap<>();
    private final List<Long> missingSinceMs = new ArrayList<>();
    private boolean looked;

    /// @param readyMs null while it is not ready
    /// @param markedMs null while it does not drain
    record Seen(long existsMs, @Nullable Long readyMs, @Nullable Long markedMs) {}

    /// @param missing pods that the target owes
    void look(List<View> now, int missing, long nowMs) {
        Set<String> uids = new HashSet<>();
        for (View p : now) {
            uids.add(p.uid());
            pods.put(p.uid(), seen(p, pods.get(p.uid()), nowMs));
        }
        pods.keySet().retainAll(uids);
        while (missingSinceMs.size() > missing) {
            missingSinceMs.removeLast();
        }
        while (missingSinceMs.size() < missing) {
            missingSinceMs.add(nowMs);
        }
        looked = true;
    }

    /// Of a pod of the last look.
    Seen of(View p) {
        Seen seen = pods.get(p.uid());
        if (seen == null) {
            throw new IllegalArgumentException(p.name() + " was not looked at");
        }
        return seen;
    }

    /// Since when each missing pod has been missing, the longest first.
    List<Long> missingSinceMs() {
        return missingSinceMs;
    }

    private Seen seen(View p, @Nullable Seen before, long nowMs) {
        Long ready = p.readyMs();
        Long marked = p.markedMs();
        return new Seen(
                before != null ? before.existsMs : first(p.createdMs(), nowMs),
                ready == null
                        ? null
                        : before != null && before.readyMs != null
                                ? before.readyMs
                                : Long.valueOf(first(ready, nowMs)),
                marked == null
                        ? null
                        : before != null && before.markedMs != null
                                ? before.markedMs
                                : Long.valueOf(nowMs));
    }

    private long first(long serverMs, long nowMs) {
        return looked ? nowMs : Math.min(nowMs, serverMs);
    }
}
