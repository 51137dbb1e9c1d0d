package dev.sluice.shared;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.Map;

/// What an admin route gives back.
public sealed interface AdminAnswer {

    /// A value as JSON in snake_case; nulls are written, since "not known" is an answer.
    record Json(int status, Object value) implements AdminAnswer {}

    /// Text as it is, in UTF-8.
    record Content(int status, String type, String body, Map<String, String> headers)
            implements AdminAnswer {}

    /// Server-sent events until the feed returns or the client leaves.
    record Events(Feed feed) implements AdminAnswer {}

    /// What went wrong and what to do, as `{"error": {…}}`.
    ///
    /// @param code a stable word for programs
    /// @param field what in the request is at fault; null when it is not one field
    /// @param fix what to do instead
    record Problem(int status, String code, String message, @Nullable String field, String fix)
            implements AdminAnswer {}

    /// Sends events, blocking, on a thread of its own.
    @FunctionalInterface
    interface Feed {
        /// Returns to end the stream; an exception from the sink means that the client left.
        void run(Sink sink) throws IOException, InterruptedException;
    }

    /// Where a feed puts its events.
    @FunctionalInterface
    interface Sink {
        /// @param json without line breaks
        void send(String event, byte[] json) throws IOException;
    }

    static AdminAnswer ok(Object value) {
        return new Json(200, value);
    }

    static AdminAnswer text(int status, String text) {
        return new Content(status, "text/plain; charset=utf-8", text, Map.of());
    }

    static AdminAnswer badRequest(@Nullable String field, String message, String fix) {
        return new Problem(400, "invalid_request", message, field, fix);
    }

    static AdminAnswer notFound(String field, String message, String fix) {
        return new Problem(404, "not_found", message, field, fix);
    }
}
