package dev.sluice.autoscaler.decision;

import static dev.sluice.autoscaler.signal.Replicas.State.BLOCKED;
import static dev.sluice.autoscaler.signal.Replicas.State.CRASHED;
import static dev.sluice.autoscaler.signal.Replicas.State.DRAINING;
import static dev.sluice.autoscaler.signal.Replicas.State.READY;
import static dev.sluice.autoscaler.signal.Replicas.State.STARTING;

import dev.sluice.autoscaler.decision.Recommendation.Inputs;
import dev.sluice.autoscaler.decision.Recommendation.Pending;
import dev.sluice.autoscaler.signal.Condition;
import dev.sluice.autoscaler.signal.Observation;
import dev.sluice.autoscaler.signal.Observation.Load;
import dev.sluice.autoscaler.signal.Replicas.Replica;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// How many replicas there should be: a pure function, read from top to bottom of {@link #decide}.
///
/// 1. **Gate.** Unless every proxy answers, the load is not known: CPU may still add, nothing
///    removes. A starting replica is capacity from the moment it was asked for, so one deficit is
///    answered once; after {@link #OVERDUE} × p99 of the cold start it stops counting, is reported,
///    and at most `stepUp` others are started in its place. One that finds no room is no capacity
///    either, and nothing is started in its place, which would find none too.
/// 2. **Rules.** CPU or error rate above their marks: `stepUp` more than are ready. Errors only
///    when they are for want of capacity; other errors hold ({@link ErrorGuard}).
/// 3. **Load.** (in flight + queued) ÷ slots per replica, plus the spare, rounded up. The larger of
///    the means over 15 s and 60 s: quick up, slow down. Little's law makes work in flight the one
///    figure that holds both the arrival rate and the service time. {@link PromptQueue} for what
///    slots do not say.
/// 4. **Up at once, down slowly.** Up to the need, at most doubling unless calls wait too long.
///    Down by one, only below the largest need of the window, only if the rest can carry the work
///    and, with the spare, what was work in all but {@link #BURSTS} of the looks of two windows:
///    bursts that come again are waited for, not chased. Never while another drains. After {@link
///    #FLAPS} reversals in an hour the window doubles.
/// 5. **Bounds.** min and max, and zero when idle.
///
/// Where it fails: work is measured, not foreseen, so a step of load is late by a cold start (the
/// spare is for that); a backlog that is long gone by the time replicas are ready is still asked
/// for.
public final class Decision {
    private static final int QUICKER = 4;
    private static final long CPU_MS = 30_000;
    private static final long BLIND_MS = 30_000;
    private static final int OVERDUE = 2;
    private static final int FLAPS = 4;
    private static final double BURSTS = 0.01;
    private static final int WINDOWS = 2;
    private static final long BURSTS_MS = 3_600_000;

    /// Prompts' queues are looked at for the window, and no longer than this.
    private static final long PROMPTS_MS = 600_000;

    /// CPU says nothing with fewer looks than this since the newest replica became ready.
    private static final int FEW_LOOKS = 2;

    private final Spec spec;
    private final Situation s;
    private final int current;
    private final int ready;
    private final int overdue;
    private final @Nullable Load load;
    private final @Nullable Double work;
    private final @Nullable Double cpuUp;
    private final @Nullable Double cpuDown;
    private final ErrorGuard.Finding errors;
    private final List<Pending> pending = new ArrayList<>();
    private final List<Condition> conditions = new ArrayList<>();

    /// What one rule asks for.
    private record Want(int need, Reason reason) {
        Want or(Want other) {
            return other.need > need ? other : this;
        }
    }

    private Decision(Spec spec, Situation s) {
        this.spec = spec;
        this.s = s;
        conditions.addAll(s.replicas().conditions());
        current = s.replicas().asked();
        ready = s.replicas().count(READY);
        overdue = pendingAndOverdue();
        load = s.window().load();
        work = work();
        boolean polling = spec.load().enabled() && CpuReading.busyPolling(spec, s);
        if (polling) {
            condition("BusyPolling", "CPU stays high without work, so it is left out");
        }
        cpuUp = polling ? null : cpu(true);
        cpuDown = polling ? null : cpu(false);
        errors = ErrorGuard.look(spec, s, work);
    }

    /// The recommendation for now; the number is always within 0 and max, or on its way there.
    public static Recommendation decide(Spec spec, Situation situation) {
        return new Decision(spec, situation).decide();
    }

    private Recommendation decide() {
        if (current > spec.max()) {
            return to(spec.max(), spec.max(), Reason.ABOVE_MAX);
        }
        if (load == null) {
            return withoutLoad();
        }
        if (errors.veto() != null) {
            condition(
                    errors.veto() == Reason.BAD_ROLLOUT ? "BadRollout" : "ErrorsNotLoad",
                    errors.message());
        }
        if (idle()) {
            return current == 0 ? hold(0, Reason.STEADY, null) : to(0, 0, Reason.IDLE);
        }
        Want want = floor().or(rules()).or(demand());
        int target = want.need + Math.min(overdue, spec.rules().stepUp());
        if (target > current) {
            return up(want, target);
        }
        if (want.need < current && overdue == 0) {
            return down(want);
        }
        if (s.replicas().count(BLOCKED) > 0 && want.need > ready + pending.size()) {
            return hold(want.need, want.reason, Reason.NO_ROOM);
        }
        boolean counted = want.need > ready && want.reason != Reason.BELOW_MIN;
        return hold(
                want.need,
                counted ? want.reason : Reason.STEADY,
                counted ? Reason.PENDING : errors.veto());
    }

    /// CPU may add; nothing removes; from zero, one replica rather than none.
    private Recommendation withoutLoad() {
        Observation latest = s.window().latest();
        condition(
                "SignalsStale",
                latest.problems().isEmpty()
                        ? "no proxy is known"
                        : String.join("; ", latest.problems()));
        if (!spec.zero().enabled() && current < spec.min()) {
            return to(spec.min(), spec.min(), Reason.BELOW_MIN);
        }
        if (current == 0) {
            boolean blind =
                    s.window().since(s.nowMs() - BLIND_MS).stream().allMatch(o -> o.load() == null);
            boolean longEnough =
                    s.window().observations().getFirst().timeMs() <= s.nowMs() - BLIND_MS;
            return blind && longEnough
                    ? to(1, 1, Reason.BLIND_AT_ZERO)
                    : hold(0, Reason.SIGNALS_STALE, Reason.SIGNALS_STALE);
        }
        Want byCpu = cpuRule();
        return byCpu.need > current
                ? up(byCpu, byCpu.need)
                : hold(current, Reason.SIGNALS_STALE, Reason.SIGNALS_STALE);
    }

    private Want floor() {
        if (current > 0 || !spec.zero().enabled()) {
            return new Want(Math.max(spec.min(), spec.zero().enabled() ? 1 : 0), Reason.BELOW_MIN);
        }
        return new Want(Math.max(1, spec.min()), Reason.HELD_CALLS);
    }

    /// The mission's rules. Relative to what is ready, so a replica that is starting for a reason
    /// is not asked for again while the reason lasts.
    private Want rules() {
        Want byCpu = cpuRule();
        return errors.up() == null
                ? byCpu
                : byCpu.or(new Want(ready + spec.rules().stepUp(), errors.up()));
    }

    private Want cpuRule() {
        return cpuUp != null && cpuUp > spec.rules().cpuHigh()
                ? new Want(ready + spec.rules().stepUp(), Reason.CPU_HIGH)
                : new Want(0, Reason.STEADY);
    }

    /// What the work needs; with the load driver off, what is there unless CPU is low.
    private Want demand() {
        if (spec.load().enabled() && work != null) {
            if (current == 0) {
                return new Want((int) Math.ceil(work / s.slots()), Reason.HELD_CALLS);
            }
            return bySlots(work).or(byPrompts());
        }
        boolean low =
                cpuDown != null
                        && cpuDown < spec.rules().cpuLow()
                        && errors.rateOrZero() < spec.rules().errorLow();
        return low
                ? new Want(current - spec.rules().stepDown(), Reason.CPU_LOW)
                : new Want(current, Reason.STEADY);
    }

    private Want bySlots(double calls) {
        return new Want(withSpare(calls), Reason.LOAD);
    }

    private int withSpare(double calls) {
        return (int) Math.ceil(calls / s.slots() + spec.load().spare() - 1e-9);
    }

    private Want byPrompts() {
        long window = Math.min(spec.scaleDown().window().toMillis(), PROMPTS_MS);
        Double need = PromptQueue.need(spec, s, Math.max(window, spec.load().mean().toMillis()));
        return need == null
                ? new Want(0, Reason.STEADY)
                : new Want((int) Math.ceil(need - 1e-9), Reason.PROMPTS);
    }

    private Recommendation up(Want want, int target) {
        int limited = target;
        Reason reason = want.reason;
        if ((reason == Reason.LOAD || reason == Reason.PROMPTS) && target > 2 * current) {
            boolean waits = load != null && waitMs(load) > spec.load().waitObjective().toMillis();
            limited = waits ? target : 2 * current;
            reason = waits ? Reason.QUEUE_WAIT : reason;
        }
        if (limited > spec.max()) {
            condition("Limited", "the need is " + want.need + ", max is " + spec.max());
        }
        int bounded = Math.min(limited, spec.max());
        return bounded > current
                ? to(bounded, want.need, reason)
                : hold(want.need, reason, Reason.AT_MAX);
    }

    private Recommendation down(Want want) {
        boolean byLoad = spec.load().enabled();
        int step = byLoad ? 1 : spec.rules().stepDown();
        int target = Math.max(Math.max(want.need, spec.min()), current - step);
        if (target >= current) {
            return hold(want.need, Reason.STEADY, errors.veto());
        }
        Reason reason = byLoad ? Reason.LOAD_LOW : Reason.CPU_LOW;
        Reason veto = downVeto(target);
        return veto == null ? to(target, want.need, reason) : hold(want.need, reason, veto);
    }

    private @Nullable Reason downVeto(int target) {
        if (errors.veto() != null) {
            return errors.veto();
        }
        if (errors.rateOrZero() > spec.rules().errorHigh()) {
            return Reason.ERRORS_BUSY;
        }
        if (cpuUp != null && cpuUp > spec.rules().cpuHigh()) {
            return Reason.CPU_BUSY;
        }
        if (s.replicas().count(DRAINING) > 0) {
            return Reason.DRAINING;
        }
        long since = s.nowMs() - window();
        if (!s.history().reaches(since)) {
            return Reason.WINDOW_NOT_FULL;
        }
        if (s.history().maxNeed(since) > target) {
            return Reason.WINDOW;
        }
        int left = Math.min(ready, target);
        boolean fits = left > 0 && work != null && work / left <= s.slots();
        if (!fits) {
            return Reason.WOULD_NOT_FIT;
        }
        return spec.load().enabled() && burstsNeed() > target ? Reason.BURSTS : null;
    }

    private int burstsNeed() {
        long since = s.nowMs() - burstsMs(spec);
        Double most = s.window().quantileLoad(since, 1 - BURSTS, Load::work);
        return most == null ? 0 : withSpare(most);
    }

    /// For how long bursts are remembered.
    static long burstsMs(Spec spec) {
        return Math.min(WINDOWS * spec.scaleDown().window().toMillis(), BURSTS_MS);
    }

    private long window() {
        long window = spec.scaleDown().window().toMillis();
        int reversals = s.history().reversals(s.nowMs());
        if (reversals < FLAPS) {
            return window;
        }
        condition("Flapping", reversals + " reversals in an hour: the scale-down window doubles");
        return 2 * window;
    }

    /// No call for the whole idle time, as far as every look of it says; a replica that is starting
    /// or has just become ready was wanted by somebody.
    private boolean idle() {
        if (!spec.zero().enabled() || load == null || load.busy()) {
            return false;
        }
        if (current == 0) {
            return true;
        }
        long since = s.nowMs() - spec.zero().idle().toMillis();
        Long newest = s.replicas().newestReadyMs();
        Long busy = s.window().lastBusyMs();
        return s.window().observations().getFirst().timeMs() <= since
                && s.window().since(since).stream().allMatch(o -> o.load() != null)
                && s.replicas().count(STARTING) == 0
                && (newest == null || newest <= since)
                && (busy == null || busy <= since);
    }

    /// Fills {@link #pending}; the number of those that are overdue.
    private int pendingAndOverdue() {
        int late = 0;
        long limit = OVERDUE * s.replicas().coldStart().p99Ms();
        for (Replica r : s.replicas().all()) {
            if (r.state() != STARTING && r.state() != CRASHED) {
                continue;
            }
            long age = s.nowMs() - r.sinceMs();
            if (age > limit) {
                late++;
            } else {
                long eta = Math.max(0, s.replicas().coldStart().p50Ms() - age);
                pending.add(new Pending(r.id(), age, eta));
            }
        }
        if (late > 0) {
            condition(
                    "StartOverdue",
                    late + " starting for more than " + limit / 1000 + " s, no longer counted");
        }
        return late;
    }

    private @Nullable Double work() {
        Double quick =
                s.window()
                        .meanLoad(s.nowMs() - spec.load().mean().toMillis() / QUICKER, Load::work);
        Double slow = s.window().meanLoad(s.nowMs() - spec.load().mean().toMillis(), Load::work);
        return quick == null || slow == null ? slow : Double.valueOf(Math.max(quick, slow));
    }

    private @Nullable Double cpu(boolean up) {
        Long newest = s.replicas().newestReadyMs();
        long since = Math.max(s.nowMs() - CPU_MS, newest == null ? 0 : newest + 1);
        double sum = 0;
        int n = 0;
        for (Observation o : s.window().since(since)) {
            Double value = up ? o.cpu().up() : o.cpu().down();
            if (value != null) {
                sum += value;
                n++;
            }
        }
        return n < FEW_LOOKS ? null : sum / n;
    }

    private static long waitMs(Load load) {
        return load.predictedWaitMs() == null || load.queued() == 0
                ? load.oldestQueuedMs()
                : Math.max(load.oldestQueuedMs(), load.predictedWaitMs());
    }

    private void condition(String type, String message) {
        conditions.add(new Condition(type, message));
    }

    private Recommendation to(int replicas, int need, Reason reason) {
        return recommend(replicas, need, reason, null);
    }

    private Recommendation hold(int need, Reason reason, @Nullable Reason veto) {
        return recommend(current, need, reason, veto);
    }

    private Recommendation recommend(int replicas, int need, Reason reason, @Nullable Reason veto) {
        var inputs =
                new Inputs(
                        work,
                        s.slots(),
                        cpuUp,
                        errors.rate(),
                        errors.saturation(),
                        load == null ? 0 : load.queued(),
                        load == null ? 0 : load.oldestQueuedMs(),
                        ready,
                        s.replicas().count(STARTING) + s.replicas().count(CRASHED),
                        overdue,
                        s.replicas().count(BLOCKED),
                        s.replicas().count(DRAINING));
        return new Recommendation(
                s.nowMs(),
                current,
                replicas,
                reason,
                veto,
                need,
                List.copyOf(pending),
                inputs,
                List.copyOf(conditions));
    }
}
