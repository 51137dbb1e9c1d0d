package dev.sluice.proxy.call;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.request.Refusal;

import java.time.Duration;

/// What a call says when it cannot be served: which status, which code, and words that name the
/// cause and the fix.
final class Refusals {
    private Refusals() {}

    static Refusal unknownPath(String path) {
        return Refusal.invalid(
                404,
                "unknown_path",
                "Nothing is served at "
                        + path
                        + "; calls go to /v1/…, metrics and status are on the admin port.",
                null);
    }

    static Refusal webSocket(int status, String problem) {
        return Refusal.invalid(
                status, "websocket_handshake", "Bad WebSocket handshake: " + problem + ".", null);
    }

    /// @param routing what the router says when no model is named
    static Refusal modelNotInQuery(Refusal routing) {
        return Refusal.invalid(
                400,
                routing.code(),
                routing.message() + "; name one in the query, as ?model=NAME",
                "model");
    }

    static Refusal askWithGet(String path) {
        return Refusal.invalid(405, "method_not_allowed", "Ask " + path + " with GET.", null);
    }

    static Refusal tooLarge(long limit) {
        return Refusal.invalid(
                413,
                "body_too_large",
                "The request body is larger than " + limit + " bytes (limits.body).",
                null);
    }

    static Refusal malformed(String why) {
        return Refusal.invalid(400, "malformed_request", "Bad request: " + why + ".", null);
    }

    static Refusal tooSlow(long bytesPerSecond) {
        return Refusal.invalid(
                408,
                "request_timeout",
                "The request body came slower than " + bytesPerSecond + " bytes a second.",
                null);
    }

    static Refusal tooLong(Duration limit) {
        return Refusal.invalid(
                408,
                "request_timeout",
                "The request was not whole within " + limit.toSeconds() + " s (timeouts.request).",
                null);
    }

    static Refusal encoded(String coding) {
        return Refusal.invalid(
                415,
                "unsupported_content_encoding",
                "The request body is encoded as "
                        + coding
                        + ", and its model can only be read from plain JSON; send it without"
                        + " Content-Encoding.",
                null);
    }

    /// Request bodies together hold as many bytes as they may.
    static Refusal bodiesFull(long limit) {
        return Refusal.capacity(
                "bodies_full",
                "Requests that are being read or wait hold the "
                        + limit
                        + " bytes that their bodies may hold together (memory.bodies).",
                Duration.ofSeconds(1));
    }

    static Refusal overTime(String why) {
        return new Refusal(504, "timeout_error", "total_timeout", why + ".", null, null);
    }

    /// The last attempt failed, and no further one is made.
    static Refusal failed(
            Endpoint endpoint, AttemptResult result, String why, int attempts, String pool) {
        boolean late =
                result == AttemptResult.FIRST_BYTE_TIMEOUT || result == AttemptResult.STALLED;
        return Refusal.upstream(
                late ? 504 : 502,
                late ? "upstream_timeout" : "upstream_failed",
                endpoint.url() + ": " + why + " (attempt " + attempts + ", pool " + pool + ").");
    }

    static Refusal broken(Endpoint endpoint, String why) {
        return Refusal.upstream(502, "stream_broken", endpoint.url() + ": " + why + ".");
    }

    static Refusal shuttingDown() {
        return Refusal.capacity(
                "shutting_down",
                "The proxy is shutting down; send the call again.",
                Duration.ofSeconds(1));
    }
}
