package dev.sluice.proxy.routing;

import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.QueueConfig;

import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/// A waiter's place in the queue. Whoever wins the step out of WAITING decides how the wait ends;
/// whoever wins the step out of GRANTED owns the slot that is on its way.
final class Ticket {
    /// First come, first served.
    static final Comparator<Ticket> ORDER = Comparator.comparingLong(t -> t.number);

    final Waiter waiter;
    final List<Endpoint> tried;
    final long bytes;
    final long arrivedNanos;
    private final long number;
    private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.WAITING);

    /// @param number counts up with arrivals
    Ticket(Waiter waiter, long arrivedNanos, long number) {
        this.waiter = waiter;
        this.tried = List.copyOf(waiter.tried());
        this.bytes = waiter.request().promptBytes();
        this.arrivedNanos = arrivedNanos;
        this.number = number;
    }

    enum Phase {
        WAITING,
        /// A slot is taken for it and on its way to its loop.
        GRANTED,
        /// Granted and delivered, refused, or cancelled.
        OVER
    }

    boolean waits() {
        return phase.get() == Phase.WAITING;
    }

    boolean step(Phase from, Phase to) {
        return phase.compareAndSet(from, to);
    }

    /// When it has waited long enough.
    ///
    /// @param cold whether it is held for a first endpoint just now
    /// @param lastColdNanos when calls were last held; the ordinary deadline runs from there
    long expiresAt(QueueConfig config, boolean cold, long lastColdNanos) {
        long limit =
                cold
                        ? arrivedNanos + config.coldStart().toNanos()
                        : Math.max(arrivedNanos, lastColdNanos) + config.deadline().toNanos();
        return Math.min(limit, waiter.deadlineNanos());
    }
}
