package dev.sluice.proxy.accounting;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/// Work that event loops leave to a thread of its own, in a bounded queue. Offering neither waits
/// nor wakes anybody: the thread looks by itself, up to twenty times a second while there is
/// nothing. What does not fit is dropped and counted.
final class Backlog<T> implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Backlog.class);
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long GRACE_MILLIS = 5_000;

    private final MpscRing<T> ring;
    private final Work<T> work;
    private final LongAdder dropped = new LongAdder();
    private final Thread thread;
    private volatile boolean closing;

    /// What the thread does.
    interface Work<T> {
        void item(T item) throws Exception;

        /// There is nothing more for now.
        void pause() throws Exception;

        /// The last one.
        void end() throws Exception;
    }

    /// Several items that were taken could not be done.
    static final class Lost extends IOException {
        private static final long serialVersionUID = 1;

        private final int items;

        Lost(int items, String why) {
            super(why);
            this.items = items;
        }
    }

    Backlog(String name, int capacity, Work<T> work) {
        this.ring = new MpscRing<>(capacity);
        this.work = work;
        this.thread = Thread.ofPlatform().name(name).daemon().start(this::run);
    }

    /// Any thread.
    void offer(T item) {
        if (!ring.offer(item)) {
            dropped.increment();
        }
    }

    /// How many did not fit, or could not be done.
    long dropped() {
        return dropped.sum();
    }

    private void run() {
        long complained = 0;
        while (true) {
            boolean last = closing;
            try {
                for (T item = ring.poll(); item != null; item = ring.poll()) {
                    one(item);
                }
                work.pause();
            } catch (Exception e) {
                dropped.add(e instanceof Lost lost ? lost.items : 0);
                complained = complain(e, complained);
            }
            if (last) {
                break;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        try {
            work.end();
        } catch (Exception e) {
            dropped.add(e instanceof Lost lost ? lost.items : 0);
            log.warn("{}: {}", thread.getName(), e.toString());
        }
    }

    private void one(T item) throws Exception {
        try {
            work.item(item);
        } catch (Lost e) {
            throw e;
        } catch (Exception e) {
            throw new Lost(1, e.toString());
        }
    }

    /// Once a minute: a full disk is told, not repeated for each call.
    private long complain(Exception e, long complained) {
        long now = System.nanoTime();
        if (complained != 0 && now - complained < TimeUnit.MINUTES.toNanos(1)) {
            return complained;
        }
        log.warn(
                "{}: {}; what is lost is counted",
                Thread.currentThread().getName(),
                e.getMessage());
        return now;
    }

    /// Does what is there, for at most some seconds.
    @Override
    public void close() {
        closing = true;
        LockSupport.unpark(thread);
        try {
            thread.join(GRACE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
