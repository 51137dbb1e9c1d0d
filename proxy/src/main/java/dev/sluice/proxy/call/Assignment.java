package dev.sluice.proxy.call;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.pool.Slot;
import dev.sluice.proxy.response.Decision;
import dev.sluice.proxy.routing.Dispatcher;
import dev.sluice.proxy.routing.Waiter;

import org.jspecify.annotations.Nullable;

import java.util.function.LongSupplier;

/// What a call has of its pool: a place in the queue, then a slot, then perhaps another one, and
/// why. Event loop only.
final class Assignment {
    private final LongSupplier nanoClock;
    private final Timeline times;
    private final Attempts attempts;
    private final Decision.Detail detail;

    private @Nullable Dispatcher pool;
    private @Nullable Slot slot;
    private boolean waits;
    private String reason = "";
    private long overloadDeadline;

    Assignment(LongSupplier nanoClock, Timeline times, Attempts attempts, Decision.Detail detail) {
        this.nanoClock = nanoClock;
        this.times = times;
        this.attempts = attempts;
        this.detail = detail;
    }

    void to(Dispatcher of) {
        pool = of;
    }

    /// The pool's name; empty before there is one.
    String poolName() {
        return pool == null ? "" : pool.pool().name();
    }

    /// Takes a place in the queue. {@link Waiter#granted} or {@link Waiter#refused} may come before
    /// this returns.
    void await(Waiter call) {
        Dispatcher of = pool;
        if (of == null) {
            throw new IllegalStateException("no pool");
        }
        times.asked(nanoClock.getAsLong());
        waits = true;
        of.acquire(call);
    }

    /// Gives the place in the queue up, if it has one.
    void leaveQueue(Waiter call) {
        if (waits && pool != null) {
            waits = false;
            times.leftQueue(nanoClock.getAsLong());
            pool.cancel(call);
        }
    }

    /// The queue has given the place up.
    void turnedAway() {
        waits = false;
        times.leftQueue(nanoClock.getAsLong());
    }

    void take(Slot granted) {
        waits = false;
        slot = granted;
        times.granted(granted.queuedNanos());
        reason = detail == Decision.Detail.FULL ? granted.reason() : granted.policy().label();
    }

    /// When to stop waiting, on the nanosecond clock.
    ///
    /// @param limit nanoseconds that the call may take
    long deadline(long limit) {
        return overloadDeadline != 0 ? overloadDeadline : times.start() + limit;
    }

    boolean holds(Slot one) {
        return slot == one;
    }

    /// Null when none is held.
    @Nullable Slot slot() {
        return slot;
    }

    Slot held() {
        Slot on = slot;
        if (on == null) {
            throw new IllegalStateException("no slot");
        }
        return on;
    }

    /// Whether the pool has another endpoint for the call, and a retry to spare.
    Another another() {
        Dispatcher of = pool;
        if (of == null || attempts.tried().size() + 1 >= of.pool().snapshot().members().size()) {
            return Another.NONE;
        }
        return of.mayRetry() ? Another.YES : Another.NO_BUDGET;
    }

    enum Another {
        YES,
        /// No endpoint is left.
        NONE,
        /// Retries are a share of all calls, and that is spent.
        NO_BUDGET
    }

    /// Whether there is time left to wait once more.
    boolean mayWait(long limit) {
        return nanoClock.getAsLong() < times.start() + limit;
    }

    /// The next slot has to be elsewhere.
    void leaveEndpoint() {
        attempts.leave(held().endpoint());
    }

    /// The endpoint had no room after all: the call waits again, but not for longer than others.
    void overloaded() {
        if (overloadDeadline == 0 && pool != null) {
            overloadDeadline =
                    nanoClock.getAsLong() + pool.pool().config().queue().deadline().toNanos();
        }
    }

    /// Writes the running attempt down.
    ///
    /// @param status as the engine said; 0 when it said nothing
    void note(AttemptResult result, int status) {
        attempts.note(held(), reason, result, status, nanoClock.getAsLong());
    }

    /// Gives the slot back, if one is held, and writes the attempt down.
    ///
    /// @param retryAfterNanos the pause that the engine asks for; 0: none
    void release(AttemptResult result, int status, long retryAfterNanos) {
        Slot on = slot;
        if (on != null) {
            note(result, status);
            slot = null;
            on.release(result, retryAfterNanos);
        }
    }

    /// Whether any endpoint had to do with the call.
    boolean used() {
        return slot != null || !attempts.made().isEmpty();
    }

    /// Why the call went where it is, or ended as it did.
    String reason() {
        return reason;
    }

    void reason(String why) {
        reason = why;
    }

    /// What to tell the client.
    Decision decision(String id) {
        Slot on = slot;
        return new Decision(
                id,
                on == null ? null : on.endpoint().url(),
                attempts.made().size() + (on == null ? 0 : 1),
                times.queued() / 1_000_000,
                reason.isEmpty() ? null : reason);
    }
}
