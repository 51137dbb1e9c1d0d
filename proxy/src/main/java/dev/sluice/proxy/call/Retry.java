package dev.sluice.proxy.call;

import dev.sluice.proxy.pool.AttemptResult;

/// What to do after an attempt failed before a body byte went to the client.
///
/// | case | action |
/// |---|---|
/// | nothing was sent: refused, unreachable, TLS | another endpoint, at most two more |
/// | a pooled connection was dead | once more on a fresh one |
/// | 502, 503, 504, reset, no first byte in time | another endpoint, at most one more |
/// | busy: 429, 503 with Retry-After | back to the queue |
/// | 500 and the caller's mistakes | none |
enum Retry {
    /// Another endpoint.
    ELSEWHERE,
    /// The same endpoint on a fresh connection.
    FRESH,
    /// Wait for capacity again.
    REQUEUE,
    NONE;

    private static final int UNSENT_MORE = 2;
    private static final int SENT_MORE = 1;

    /// @param result of the attempt that just ended
    /// @param unsent how many attempts of this call, this one included, never reached an endpoint
    /// @param sent how many, this one included, failed after the request was sent
    /// @param stale how many met a dead connection
    static Retry after(AttemptResult result, int unsent, int sent, int stale) {
        return switch (result) {
            case REFUSED, CONNECT_FAILED -> unsent <= UNSENT_MORE ? ELSEWHERE : NONE;
            case STALE_CONNECTION -> stale <= 1 ? FRESH : NONE;
            case BAD_GATEWAY, RESET, FIRST_BYTE_TIMEOUT, TRUNCATED, PROTOCOL_ERROR ->
                    sent <= SENT_MORE ? ELSEWHERE : NONE;
            case OVERLOADED -> REQUEUE;
            case OK, CLIENT_GONE, CLIENT_ERROR, SERVER_ERROR, STALLED -> NONE;
        };
    }
}
