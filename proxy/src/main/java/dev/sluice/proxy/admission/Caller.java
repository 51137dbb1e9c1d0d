package dev.sluice.proxy.admission;

import dev.sluice.proxy.request.Refusal;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/// One tenant and what it may still use. Shared by all event loops.
public final class Caller {
    private final @Nullable KeyConfig key;
    private final String name;
    private final int requestsPerMinute;
    private final int tokensPerMinute;
    private final @Nullable Bucket requests;
    private final @Nullable Bucket tokens;

    Caller(KeyConfig key, long nowNanos) {
        this(key, key.name(), key.requestsPerMinute(), key.tokensPerMinute(), nowNanos);
    }

    private Caller(
            @Nullable KeyConfig key,
            String name,
            int requestsPerMinute,
            int tokensPerMinute,
            long nowNanos) {
        this.key = key;
        this.name = name;
        this.requestsPerMinute = requestsPerMinute;
        this.tokensPerMinute = tokensPerMinute;
        this.requests = requestsPerMinute == 0 ? null : new Bucket(requestsPerMinute, nowNanos);
        this.tokens = tokensPerMinute == 0 ? null : new Bucket(tokensPerMinute, nowNanos);
    }

    /// Whoever calls a proxy that has no keys.
    static Caller anybody() {
        return new Caller(null, "", 0, 0, 0);
    }

    /// As configured; null for anybody.
    @Nullable KeyConfig key() {
        return key;
    }

    /// Who goes first, and who is refused first.
    public KeyConfig.Priority priority() {
        return key == null ? KeyConfig.Priority.STANDARD : key.priority();
    }

    public String name() {
        return name;
    }

    /// Counts one request.
    ///
    /// @return why it is too many, or null
    @Nullable Refusal request(long nowNanos) {
        long wait = requests == null ? 0 : requests.take(1, nowNanos);
        return wait == 0
                ? null
                : over("requests_per_minute", requestsPerMinute + " requests a minute", wait);
    }

    /// Counts the tokens that a call is expected to use.
    ///
    /// @return why they are too many, or null
    public @Nullable Refusal tokens(long expected, long nowNanos) {
        long wait = tokens == null ? 0 : tokens.take(expected, nowNanos);
        return wait == 0
                ? null
                : over("tokens_per_minute", tokensPerMinute + " tokens a minute", wait);
    }

    /// Corrects what was expected by what was used.
    public void used(long expected, long actual) {
        if (tokens != null) {
            tokens.correct(actual - expected);
        }
    }

    private Refusal over(String limit, String amount, long waitNanos) {
        Duration wait = Duration.ofNanos(waitNanos);
        return new Refusal(
                429,
                "rate_limit_error",
                "rate_limit_exceeded",
                "Key \""
                        + name
                        + "\" is over its limit of "
                        + amount
                        + "; try again in "
                        + Math.ceilDiv(wait.toMillis(), 1000)
                        + " s.",
                limit,
                wait);
    }
}
