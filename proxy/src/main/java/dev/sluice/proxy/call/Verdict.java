package dev.sluice.proxy.call;

import dev.sluice.proxy.http.Field;
import dev.sluice.proxy.http.ResponseHead;
import dev.sluice.proxy.pool.AttemptResult;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.TimeUnit;

/// What an engine's response head means for the attempt.
///
/// @param status as the engine said; 0 before a response
/// @param result how the attempt ends if the rest of the response is whole
/// @param retryAfterNanos the pause that the engine asks for; 0 when it asks for none
/// @param eventStream whether the body is server-sent events that can be watched
record Verdict(int status, AttemptResult result, long retryAfterNanos, boolean eventStream) {
    static final Verdict NONE = new Verdict(0, AttemptResult.OK, 0, false);

    private static final long MAX_RETRY_AFTER_SECONDS = 300;

    static Verdict on(ResponseHead answer) {
        String retryAfter = answer.fields().value(Field.RETRY_AFTER);
        return new Verdict(
                answer.status(),
                result(answer.status(), retryAfter != null),
                nanos(retryAfter),
                isEventStream(answer));
    }

    private static AttemptResult result(int status, boolean retryAfter) {
        if (status < 400) {
            return AttemptResult.OK;
        }
        if (status == 429 || (status == 503 && retryAfter)) {
            return AttemptResult.OVERLOADED;
        }
        if (status < 500) {
            return AttemptResult.CLIENT_ERROR;
        }
        return status == 502 || status == 503 || status == 504
                ? AttemptResult.BAD_GATEWAY
                : AttemptResult.SERVER_ERROR;
    }

    /// Dates are rare here and taken as no wish.
    private static long nanos(@Nullable String seconds) {
        try {
            return seconds == null
                    ? 0
                    : TimeUnit.SECONDS.toNanos(
                            Math.min(MAX_RETRY_AFTER_SECONDS, Long.parseLong(seconds)));
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private static boolean isEventStream(ResponseHead answer) {
        String type = answer.fields().value(Field.CONTENT_TYPE);
        return type != null
                && type.regionMatches(true, 0, "text/event-stream", 0, 17)
                && !answer.fields().has(Field.CONTENT_ENCODING);
    }
}
