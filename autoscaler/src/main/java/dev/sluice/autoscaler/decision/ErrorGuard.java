package dev.sluice.autoscaler.decision;

import dev.sluice.autoscaler.signal.Observation;
import dev.sluice.autoscaler.signal.Observation.EndpointSample;
import dev.sluice.autoscaler.signal.Observation.Load;
import dev.sluice.autoscaler.signal.Replicas.Replica;
import dev.sluice.autoscaler.signal.Replicas.State;

import org.jspecify.annotations.Nullable;

import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

/// Tells errors that more replicas cure from errors that they multiply.
///
/// Saturation (refused or given up for want of capacity) calls for replicas, and so do failures of
/// replicas that have more work than slots. Failures under ordinary load do not: a broken model, a
/// bad rollout, a lost disk. If nearly all of them are on replicas that became ready in the last
/// ten minutes while older ones are well, the newest are the cause.
final class ErrorGuard {
    private static final long WINDOW_MS = 60_000;
    private static final long NEW_MS = 600_000;
    private static final double NEARLY_ALL = 0.8;

    /// One failure of three calls is an accident, not a rate.
    private static final long ENOUGH_CALLS = 10;

    private ErrorGuard() {}

    /// @param rate failed and saturated of all that ended; null when too few ended, or not known
    /// @param up why to add replicas; null when errors ask for none
    /// @param veto why not to move; null when errors are few, or asked for replicas
    record Finding(
            @Nullable Double rate,
            @Nullable Double saturation,
            @Nullable Reason up,
            @Nullable Reason veto) {

        double rateOrZero() {
            return rate == null ? 0 : rate;
        }

        String message() {
            return String.format(
                    Locale.ROOT,
                    "%.1f %% of calls fail, %.1f %% for want of capacity",
                    100 * rateOrZero(),
                    saturation == null ? 0 : 100 * saturation);
        }
    }

    /// @param work in flight and queued; null when not known
    static Finding look(Spec spec, Situation s, @Nullable Double work) {
        // Errors of before the newest replica came are already answered by it.
        Long newest = s.replicas().newestReadyMs();
        long since = Math.max(s.nowMs() - WINDOW_MS, newest == null ? 0 : newest + 1);
        double failed = s.window().sumLoad(since, Load::failed);
        double saturated = s.window().sumLoad(since, Load::saturated);
        double ended = s.window().sumLoad(since, Load::completed) + failed + saturated;
        if (ended < ENOUGH_CALLS) {
            return new Finding(null, null, null, null);
        }
        double rate = (failed + saturated) / ended;
        double saturation = saturated / ended;
        if (rate <= spec.rules().errorHigh()) {
            return new Finding(rate, saturation, null, null);
        }
        if (saturation > spec.rules().errorHigh() || saturated >= failed) {
            return new Finding(rate, saturation, Reason.ERRORS_SATURATION, null);
        }
        int ready = s.replicas().count(State.READY);
        if (work != null && work > s.slots() * ready) {
            return new Finding(rate, saturation, Reason.ERRORS_OVERLOAD, null);
        }
        Reason veto = newestOnly(s, since) ? Reason.BAD_ROLLOUT : Reason.ERRORS_NOT_LOAD;
        return new Finding(rate, saturation, null, veto);
    }

    private static boolean newestOnly(Situation s, long since) {
        Set<String> young = new HashSet<>();
        Set<String> old = new HashSet<>();
        for (Replica r : s.replicas().in(State.READY)) {
            (s.nowMs() - r.sinceMs() < NEW_MS ? young : old).add(r.id());
        }
        double onYoung = 0;
        double all = 0;
        for (Observation o : s.window().since(since)) {
            if (o.load() == null) {
                continue;
            }
            for (EndpointSample e : o.load().endpoints()) {
                all += e.failures();
                onYoung += young.contains(e.id()) ? e.failures() : 0;
            }
        }
        return !old.isEmpty() && all > 0 && onYoung >= NEARLY_ALL * all;
    }
}
