package dev.sluice.proxy.routing;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// Wakes threads that wait for something to become true. Ringing never blocks, and costs one read
/// while nobody waits.
final class Doorbell {
    /// More than this need not sleep here: each holds a thread and a connection.
    private static final int MOST = 64;

    private final Set<Thread> waiting = ConcurrentHashMap.newKeySet();

    void ring() {
        waiting.forEach(LockSupport::unpark);
    }

    /// Returns when it is true, which it may be already, or after so long.
    void await(BooleanSupplier rung, Duration most) throws InterruptedException {
        long end = System.nanoTime() + most.toNanos();
        if (waiting.size() >= MOST) {
            return;
        }
        waiting.add(Thread.currentThread());
        try {
            for (long left = most.toNanos();
                    left > 0 && !rung.getAsBoolean();
                    left = end - System.nanoTime()) {
                LockSupport.parkNanos(this, left);
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
            }
        } finally {
            waiting.remove(Thread.currentThread());
        }
    }
}
