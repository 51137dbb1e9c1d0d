package dev.sluice.proxy.routing;

import java.util.concurrent.atomic.AtomicLong;

/// Keeps retries from multiplying an outage: each call earns a fifth of a retry, each second three.
/// Unspent ones are kept up to ten seconds' worth of the latter. From Finagle's `RetryBudget`.
///
/// Any thread, without locks; in thousandths of a retry. A full budget is not written at all, so a
/// healthy pool pays a read for each call.
final class RetryBudget {
    private static final long RETRY = 1_000;
    private static final long PER_CALL = 200;
    private static final long PER_SECOND = 3_000;
    private static final long MOST = 10 * PER_SECOND;

    private final AtomicLong balance = new AtomicLong(PER_SECOND);
    private final AtomicLong paidUntil;

    RetryBudget(long nowNanos) {
        paidUntil = new AtomicLong(nowNanos);
    }

    void called() {
        if (balance.get() < MOST) {
            balance.addAndGet(PER_CALL);
        }
    }

    boolean spend(long nowNanos) {
        long from = paidUntil.get();
        long due = Math.min(MOST, (nowNanos - from) / (1_000_000_000L / PER_SECOND));
        if (due > 0 && paidUntil.compareAndSet(from, nowNanos)) {
            balance.updateAndGet(b -> Math.min(MOST, b + due));
        }
        long before;
        do {
            before = balance.get();
            if (before < RETRY) {
                return false;
            }
        } while (!balance.compareAndSet(before, before - RETRY));
        return true;
    }
}
