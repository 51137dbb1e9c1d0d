package dev.sluice.proxy.request;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/// What Sluice says when it answers a call itself. Becomes an OpenAI-shaped error (on
/// `/v1/messages` an Anthropic one).
///
/// @param status HTTP status
/// @param type OpenAI's error type, as `invalid_request_error`, `overloaded_error`
/// @param code a stable word for programs, as `model_not_found`, `queue_full`; also the reason in
///   meters
/// @param message for a person: what is wrong, the numbers, what to do
/// @param param the field at fault, if one is
/// @param retryAfter when to try again, if that makes sense
public record Refusal(
        int status,
        String type,
        String code,
        String message,
        @Nullable String param,
        @Nullable Duration retryAfter) {

    /// The caller's mistake.
    public static Refusal invalid(int status, String code, String message, @Nullable String param) {
        return new Refusal(status, "invalid_request_error", code, message, param, null);
    }

    /// No capacity now; 503.
    public static Refusal capacity(String code, String message, Duration retryAfter) {
        return new Refusal(503, "overloaded_error", code, message, null, retryAfter);
    }

    /// The engine failed; 502 or 504.
    public static Refusal upstream(int status, String code, String message) {
        return new Refusal(status, "upstream_error", code, message, null, null);
    }
}
