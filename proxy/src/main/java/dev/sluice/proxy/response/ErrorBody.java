package dev.sluice.proxy.response;

import com.fasterxml.jackson.core.io.JsonStringEncoder;

import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.Refusal;

import org.jspecify.annotations.Nullable;

/// A refusal as the JSON that the client's SDK understands: OpenAI's shape, on `/v1/messages`
/// Anthropic's.
public final class ErrorBody {
    private ErrorBody() {}

    public static String of(Refusal refusal, Api api, String requestId) {
        return api == Api.MESSAGES ? anthropic(refusal, requestId) : openai(refusal);
    }

    private static String openai(Refusal refusal) {
        return "{\"error\":{\"message\":"
                + quote(refusal.message())
                + ",\"type\":"
                + quote(refusal.type())
                + ",\"param\":"
                + quote(refusal.param())
                + ",\"code\":"
                + quote(refusal.code())
                + "}}";
    }

    private static String anthropic(Refusal refusal, String requestId) {
        return "{\"type\":\"error\",\"error\":{\"type\":"
                + quote(anthropicType(refusal.status()))
                + ",\"message\":"
                + quote(refusal.message())
                + "},\"request_id\":"
                + quote(requestId)
                + "}";
    }

    private static String anthropicType(int status) {
        return switch (status) {
            case 400, 422, 417, 431, 414 -> "invalid_request_error";
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 413 -> "request_too_large";
            case 429 -> "rate_limit_error";
            case 503 -> "overloaded_error";
            case 504 -> "timeout_error";
            default -> "api_error";
        };
    }

    private static String quote(@Nullable String text) {
        if (text == null) {
            return "null";
        }
        return '"' + String.valueOf(JsonStringEncoder.getInstance().quoteAsString(text)) + '"';
    }
}
