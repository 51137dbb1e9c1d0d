package dev.sluice.proxy.call;

import dev.sluice.proxy.response.Outcome.Phase;

/// The moments of one call on the nanosecond clock, and which limit they have passed. Event loop
/// only.
final class Timeline {
    /// A limit of {@link CallConfig} that a call can pass.
    enum Overdue {
        NOTHING,
        /// The request has not come whole.
        REQUEST,
        /// The engine has not answered.
        FIRST_BYTE,
        /// The engine has gone silent inside its answer.
        BETWEEN_CHUNKS,
        /// The client takes no bytes.
        CLIENT_STALL,
        /// All of it takes too long.
        TOTAL
    }

    private final long start;
    private long ready;
    private long asked;
    private long sent;
    private long lastRead;
    private long stalledSince;
    private long queued;
    private long overhead;
    private long ttft = -1;

    /// @param start when the head was decoded
    Timeline(long start) {
        this.start = start;
        this.ready = start;
    }

    /// Enough of the request was read to place it.
    void ready(long now) {
        ready = now;
    }

    /// A slot was asked for.
    void asked(long now) {
        asked = now;
    }

    /// A slot came after this long.
    void granted(long queuedNanos) {
        queued += queuedNanos;
    }

    /// No slot came.
    void leftQueue(long now) {
        queued += now - asked;
    }

    /// The request went out.
    ///
    /// @param began when the attempt's own share of time ended: before connecting, if it had to
    void sent(long began, long now) {
        sent = now;
        lastRead = now;
        overhead = began - ready - queued;
    }

    /// Bytes came from the engine.
    void read(long now) {
        lastRead = now;
    }

    /// The client takes no more bytes for now.
    void stalled(long now) {
        stalledSince = now;
    }

    /// The client takes bytes again. The engine could send none meanwhile: that is not its silence.
    void flowing(long now) {
        stalledSince = 0;
        lastRead = now;
    }

    /// @return from the sent request to the first content, nanoseconds
    long firstContent(long at) {
        ttft = at - ready;
        return at - sent;
    }

    /// @param answering whether the request is out whole, so that the engine is to answer
    /// @param firstByte limit on the engine's first byte, nanoseconds
    /// @param total limit on the call, nanoseconds
    Overdue overdue(
            Phase phase,
            boolean answering,
            long now,
            long firstByte,
            long total,
            CallConfig limits) {
        switch (phase) {
            case READING -> {
                return now - start > limits.request().toNanos() ? Overdue.REQUEST : Overdue.NOTHING;
            }
            case QUEUED, CONNECTING -> {}
            case WAITING -> {
                if (answering && now - sent > firstByte) {
                    return Overdue.FIRST_BYTE;
                }
            }
            case STREAMING -> {
                if (stalledSince != 0) {
                    if (now - stalledSince > limits.clientStall().toNanos()) {
                        return Overdue.CLIENT_STALL;
                    }
                } else if (now - lastRead > limits.betweenChunks().toNanos()) {
                    return Overdue.BETWEEN_CHUNKS;
                }
            }
        }
        return now - start > total ? Overdue.TOTAL : Overdue.NOTHING;
    }

    long start() {
        return start;
    }

    /// When the request could be placed.
    long ready() {
        return ready;
    }

    /// Waiting for slots, nanoseconds.
    long queued() {
        return queued;
    }

    /// The proxy's own share of the time until the request went out, nanoseconds.
    long overhead() {
        return overhead;
    }

    /// From the placed request to its first content, nanoseconds; -1 before.
    long ttft() {
        return ttft;
    }
}
