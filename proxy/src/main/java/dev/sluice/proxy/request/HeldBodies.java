package dev.sluice.proxy.request;

import java.util.concurrent.atomic.AtomicLong;

/// How many bytes of request bodies the process holds, and whether that is too many. Each event
/// loop counts for itself and tells the common sum in steps, so that loops do not contend for it;
/// the sum is exact to a step for each loop.
public final class HeldBodies {
    private static final long STEP = 64 * 1024;

    private final AtomicLong all = new AtomicLong();
    private volatile long limit;

    /// @param limit bytes
    public HeldBodies(long limit) {
        this.limit = limit;
    }

    /// Another limit from now on.
    public void limit(long bytes) {
        limit = bytes;
    }

    public long limit() {
        return limit;
    }

    /// Any thread.
    public long bytes() {
        return Math.max(0, all.get());
    }

    /// Whether no more should be held. Any thread.
    public boolean full() {
        return all.get() >= limit;
    }

    /// For one event loop.
    public Share share() {
        return new Share();
    }

    /// What the bodies of one event loop hold. That loop only.
    public final class Share {
        private long own;
        private long told;

        private Share() {}

        /// @param bytes more, or if negative fewer
        void add(long bytes) {
            own += bytes;
            long news = own - told;
            if (news >= STEP || news <= -STEP) {
                told = own;
                all.addAndGet(news);
            }
        }

        public boolean full() {
            return HeldBodies.this.full();
        }

        public long limit() {
            return limit;
        }
    }
}
