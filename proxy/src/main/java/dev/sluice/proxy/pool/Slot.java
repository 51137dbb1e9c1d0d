package dev.sluice.proxy.pool;

import java.util.function.Supplier;

/// One exchange's hold on an endpoint, from the grant to its last byte or its cancel: releasing at
/// the response head would count a stream of a minute as a request of 200 ms.
///
/// Used by the call's event loop only.
public final class Slot {
    private final Pool pool;
    private final Member member;
    private final Supplier<String> reason;
    private final long queuedNanos;
    private final long startNanos;
    private boolean released;

    /// The place is taken already, by {@link Pool#take}.
    public Slot(Pool pool, Member member, Supplier<String> reason, long queuedNanos) {
        this.pool = pool;
        this.member = member;
        this.reason = reason;
        this.queuedNanos = queuedNanos;
        this.startNanos = pool.now();
        member.endpoint().begun();
    }

    public Endpoint endpoint() {
        return member.endpoint();
    }

    public Policy policy() {
        return pool.config().policy();
    }

    /// Policy and why, as `least_loaded load=3.0 of 4`. Built on each call: ask once.
    public String reason() {
        return reason.get();
    }

    /// How long the call waited for it.
    public long queuedNanos() {
        return queuedNanos;
    }

    /// The first content byte came, this long after the exchange began.
    public void firstByte(long ttftNanos) {
        pool.firstByte(member, ttftNanos);
    }

    /// The engine agreed to a WebSocket, which has no first byte of content to be timed.
    public void opened() {
        pool.opened(member);
    }

    /// Bytes of the answer came.
    public void progressed(long nowNanos) {
        member.endpoint().progressed(nowNanos);
    }

    /// @param count output tokens of this exchange, reported or counted
    /// @param spanNanos from the first of them to the last; 0 when they came all at once
    public void tokens(int count, long spanNanos) {
        member.endpoint().tokens(count, spanNanos);
    }

    /// Gives the place back; exactly once, after the last byte.
    ///
    /// @param retryAfterNanos what the engine asked for with {@link AttemptResult#OVERLOADED}; else
    ///   0
    /// @throws IllegalStateException the second time
    public void release(AttemptResult result, long retryAfterNanos) {
        if (released) {
            throw new IllegalStateException("released twice: " + member.endpoint());
        }
        released = true;
        pool.ended(member, result, retryAfterNanos, startNanos);
    }
}
