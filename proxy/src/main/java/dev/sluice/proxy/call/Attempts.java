package dev.sluice.proxy.call;

import dev.sluice.proxy.accounting.CallRecord;
import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.Slot;
import dev.sluice.proxy.request.TraceContext;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// The attempts of one call: how each ended, where it was, and what {@link Retry} makes of all of
/// them together. Event loop only.
final class Attempts {
    private final @Nullable TraceContext trace;
    private final List<CallRecord.Attempt> made = new ArrayList<>(1);
    private List<Endpoint> tried = List.of();
    private int unsent;
    private int sent;
    private int stale;
    private boolean reused;
    private long since;
    private @Nullable String span;

    /// @param trace of the call
    Attempts(@Nullable TraceContext trace) {
        this.trace = trace;
    }

    void begin(long now) {
        since = now;
        span = trace == null || trace.span() == null ? null : RequestId.span();
        reused = false;
    }

    void sent(boolean onPooled) {
        reused = onPooled;
    }

    /// When the running attempt began, on the nanosecond clock.
    long since() {
        return since;
    }

    /// What the engine is to go on with: the running attempt's span. Null when none is made.
    @Nullable TraceContext trace() {
        return trace == null || span == null ? null : trace.under(span);
    }

    /// Counts how the running attempt ended.
    ///
    /// @return what the rule allows next; whether pool and budget do is another question
    Retry after(AttemptResult result) {
        switch (result) {
            case REFUSED, CONNECT_FAILED -> unsent++;
            case STALE_CONNECTION -> stale++;
            case RESET, TRUNCATED, FIRST_BYTE_TIMEOUT, PROTOCOL_ERROR, BAD_GATEWAY -> sent++;
            case OVERLOADED, OK, CLIENT_GONE, CLIENT_ERROR, SERVER_ERROR, STALLED -> {}
        }
        return Retry.after(result, unsent, sent, stale);
    }

    /// Writes the running attempt down.
    void note(Slot on, String reason, AttemptResult result, int status, long now) {
        made.add(
                new CallRecord.Attempt(
                        on.endpoint().id(), reason, result, status, reused, since, now, span));
    }

    /// The next attempt has to be elsewhere.
    void leave(Endpoint endpoint) {
        if (tried.isEmpty()) {
            tried = new ArrayList<>(2);
        }
        tried.add(endpoint);
    }

    /// Endpoints that this call does not go back to.
    List<Endpoint> tried() {
        return tried;
    }

    List<CallRecord.Attempt> made() {
        return made;
    }

    AttemptResult last() {
        return made.isEmpty() ? AttemptResult.CLIENT_GONE : made.getLast().result();
    }
}
