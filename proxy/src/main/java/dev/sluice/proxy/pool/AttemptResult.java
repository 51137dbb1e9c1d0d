package dev.sluice.proxy.pool;

/// How one exchange with an endpoint ended, as far as the endpoint's health is concerned.
public enum AttemptResult {
    /// A whole response below 500 that is none of the below.
    OK(false),
    /// The client left; says nothing about the endpoint.
    CLIENT_GONE(false),
    /// 4xx other than 429: the caller's mistake.
    CLIENT_ERROR(false),
    /// 429, or 503 with Retry-After: busy, not broken.
    OVERLOADED(false),
    /// A pooled connection was closed by the endpoint before it answered a byte: not its fault.
    STALE_CONNECTION(false),
    /// 500 and other 5xx not named here.
    SERVER_ERROR(true),
    /// 502, 503 without Retry-After, 504.
    BAD_GATEWAY(true),
    /// Connection refused.
    REFUSED(true),
    /// Connect time-out, unreachable, TLS failure, name not resolved.
    CONNECT_FAILED(true),
    /// Closed or reset before a whole response head.
    RESET(true),
    /// No response head, or no first body byte, in time.
    FIRST_BYTE_TIMEOUT(true),
    /// Too long between two chunks, or total time exceeded by the engine.
    STALLED(true),
    /// Closed inside the body, or a stream without its finish.
    TRUNCATED(true),
    /// Broke HTTP's rules.
    PROTOCOL_ERROR(true);

    private final boolean failure;

    AttemptResult(boolean failure) {
        this.failure = failure;
    }

    /// Whether it counts against the endpoint.
    public boolean failure() {
        return failure;
    }
}
