package dev.sluice.autoscaler.decision;

import dev.sluice.autoscaler.signal.Condition;

import org.jspecify.annotations.Nullable;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// One decision, with everything that it was made from.
///
/// @param from replicas asked for until now
/// @param replicas to ask for from now on; equal to `from` means hold
/// @param reason the rule that bound
/// @param veto what kept the number from moving where the need points; null when nothing did
/// @param need replicas that the signals ask for, before pending, limits and vetoes
/// @param pending replicas that are starting and count as capacity
public record Recommendation(
        long timeMs,
        int from,
        int replicas,
        Reason reason,
        @Nullable Reason veto,
        int need,
        List<Pending> pending,
        Inputs inputs,
        List<Condition> conditions) {

    /// @param etaMs when it is likely ready, from now; 0 when it is overdue by the median
    public record Pending(String id, long ageMs, long etaMs) {}

    /// The numbers that went in. Null means not known.
    ///
    /// @param work in flight and queued, the larger of the 15 s and the 60 s mean
    /// @param slots calls per replica
    /// @param cpu the mean that the up rule sees
    /// @param errorRate failed and saturated of all calls that ended
    /// @param saturation of those, the share for want of capacity
    /// @param overdue starting for so long that they no longer count
    /// @param blocked asked for, without room to start
    public record Inputs(
            @Nullable Double work,
            double slots,
            @Nullable Double cpu,
            @Nullable Double errorRate,
            @Nullable Double saturation,
            int queued,
            long oldestQueuedMs,
            int ready,
            int starting,
            int overdue,
            int blocked,
            int draining) {}

    public boolean changes() {
        return replicas != from;
    }

    /// `up`, `down` or `hold`.
    public String direction() {
        return replicas > from ? "up" : replicas < from ? "down" : "hold";
    }

    /// The word that explains the number: the veto where one held it.
    public Reason binding() {
        return veto != null ? veto : reason;
    }

    /// The numbers by name; what is not known is left out.
    public Map<String, Double> terms() {
        var out = new LinkedHashMap<String, Double>();
        put(out, "work", inputs.work);
        put(out, "slots_per_replica", inputs.slots);
        put(out, "need", (double) need);
        put(out, "ready", (double) inputs.ready);
        put(out, "starting", (double) inputs.starting);
        put(out, "overdue", (double) inputs.overdue);
        put(out, "blocked", (double) inputs.blocked);
        put(out, "draining", (double) inputs.draining);
        put(out, "queued", (double) inputs.queued);
        put(out, "oldest_queued_ms", (double) inputs.oldestQueuedMs);
        put(out, "cpu", inputs.cpu);
        put(out, "error_rate", inputs.errorRate);
        put(out, "saturation_rate", inputs.saturation);
        if (!pending.isEmpty()) {
            put(out, "eta_ms", (double) pending.getFirst().etaMs());
        }
        return out;
    }

    /// `2 -> 4: the work in flight and queued needs more (work 21.3, slots_per_replica 8, …)`.
    public String message() {
        String numbers =
                terms().entrySet().stream()
                        .map(e -> e.getKey() + " " + show(e.getValue()))
                        .collect(Collectors.joining(", "));
        String change = changes() ? from + " -> " + replicas : "hold " + replicas;
        return change + ": " + binding().sentence() + " (" + numbers + ")";
    }

    private static void put(Map<String, Double> out, String name, @Nullable Double value) {
        if (value != null) {
            out.put(name, value);
        }
    }

    private static String show(double value) {
        return value == Math.rint(value)
                ? Long.toString((long) value)
                : String.format(Locale.ROOT, "%.2f", value);
    }
}
