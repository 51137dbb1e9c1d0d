package dev.sluice.autoscaler.kubernetes;

import dev.sluice.autoscaler.kubernetes.Pods.View;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;

/// A target's pods beside the number that its scale asks for. Pure.
///
/// A marked pod drains and is no replica any more, though the scale still counts it: it is *owed*.
/// Once the scale was lowered, pods outnumber it until Kubernetes has deleted them: that *surplus*
/// pays for marked pods first. So what is asked for is the scale less what is owed, in every moment
/// between mark and deletion, and a successor reads the same from the cluster.
///
/// @param scale `spec.replicas`
/// @param pods without those that ended
/// @param ordinal whether the highest number goes first, whatever the costs
record Fleet(int scale, List<View> pods, boolean ordinal) {

    /// Not yet told to end.
    List<View> alive() {
        return pods.stream().filter(p -> !p.terminating()).toList();
    }

    List<View> marked() {
        return alive().stream().filter(View::marked).toList();
    }

    /// How many pods drain for a scale that is still to be lowered.
    int owed() {
        return Math.max(0, marked().size() - Math.max(0, alive().size() - scale));
    }

    /// How many replicas there are to be, once all that drains is gone.
    int asked() {
        return scale - owed();
    }

    /// Alive, unmarked, and one of those that are asked for; while a rollout runs more pods than
    /// the scale, the ready and the older ones.
    List<View> replicas() {
        return alive().stream()
                .filter(p -> !p.marked())
                .sorted(
                        Comparator.comparing((View p) -> !p.ready())
                                .thenComparingLong(View::createdMs)
                                .thenComparing(View::name))
                .limit(asked())
                .toList();
    }

    /// Asked for, and no pod yet.
    int missing() {
        return asked() - replicas().size();
    }

    /// Whether pods of two revisions stand side by side: then Kubernetes chooses who goes.
    boolean rollingOut() {
        Set<String> revisions = new HashSet<>();
        alive().forEach(p -> revisions.add(p.revision()));
        return revisions.size() > 1;
    }

    /// Who goes, if so many are to go: what does not serve yet loses nothing and Kubernetes takes
    /// it first anyway; then the least in flight; then from the fullest zone; then the newest.
    List<View> victims(int count, ToIntFunction<View> inFlight) {
        var left = new ArrayList<>(replicas());
        var out = new ArrayList<View>();
        while (out.size() < count && !left.isEmpty()) {
            Map<String, Integer> zones = new HashMap<>();
            left.forEach(p -> zones.merge(p.zone(), 1, Integer::sum));
            Comparator<View> order =
                    ordinal
                            ? Comparator.comparingInt(View::ordinal).reversed()
                            : Comparator.comparing(View::ready)
                                    .thenComparingInt(inFlight)
                                    .thenComparingInt(p -> -zones.getOrDefault(p.zone(), 0))
                                    .thenComparingLong(p -> -p.createdMs())
                                    .thenComparing(View::name);
            View next = left.stream().min(order).orElseThrow();
            left.remove(next);
            out.add(next);
        }
        return out;
    }

    /// Who is taken back first, of those that drain: not the drained; the last marked; of numbered
    /// ones the lowest.
    List<View> takenBack(int count) {
        Comparator<View> order =
                ordinal
                        ? Comparator.comparingInt(View::ordinal)
                        : Comparator.comparing(View::drained)
                                .thenComparingLong(p -> -markedMs(p))
                                .thenComparing(View::name);
        return marked().stream().sorted(order).limit(Math.min(count, owed())).toList();
    }

    /// How far the scale may be lowered now: the drained pods that are owed; of numbered ones, as
    /// far as they are the highest.
    int payable() {
        if (rollingOut()) {
            return 0;
        }
        if (!ordinal) {
            return (int) Math.min(owed(), marked().stream().filter(View::drained).count());
        }
        int count = 0;
        for (View p :
                alive().stream()
                        .sorted(Comparator.comparingInt(View::ordinal).reversed())
                        .toList()) {
            if (!p.drained()) {
                break;
            }
            count++;
        }
        return Math.min(owed(), count);
    }

    private static long markedMs(View p) {
        return p.markedMs() == null ? 0 : p.markedMs();
    }
}
