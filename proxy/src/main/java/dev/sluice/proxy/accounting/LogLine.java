package dev.sluice.proxy.accounting;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.core.json.JsonWriteFeature;

import dev.sluice.proxy.response.Outcome;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Instant;
import java.util.Locale;

/// A call as one line of JSON. What does not apply is left out, never 0. Everything that a client
/// can choose is cut to a length and written in ASCII, control characters escaped, so that a line
/// stays a line in every terminal and tool. One thread.
final class LogLine {
    /// Characters kept of what a client chose.
    private static final int LONGEST = 256;

    private static final int DEL = 0x7f;

    private final JsonFactory json =
            new JsonFactoryBuilder()
                    .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
                    .characterEscapes(new Escapes())
                    .build();
    private final ByteArrayOutputStream line = new ByteArrayOutputStream(1024);

    /// Writes the whole line or, if it cannot be made, nothing.
    void write(CallRecord call, OutputStream out) throws IOException {
        line.reset();
        try (JsonGenerator to = json.createGenerator(line)) {
            to.writeStartObject();
            fields(call, to);
            to.writeEndObject();
        }
        line.write('\n');
        line.writeTo(out);
    }

    private static void fields(CallRecord call, JsonGenerator to) throws IOException {
        to.writeStringField("time", Instant.ofEpochMilli(call.startMs()).toString());
        text(to, "id", call.request().id());
        if (call.trace() != null) {
            to.writeStringField("trace_id", call.trace().traceId());
        }
        text(to, "client", address(call.client()));
        text(to, "method", call.method());
        text(to, "path", call.path());
        positive(to, "status", call.status());
        to.writeStringField("outcome", outcome(call.outcome()));
        if (call.outcome() instanceof Outcome.Cancelled(Outcome.Phase phase)) {
            to.writeStringField("phase", word(phase));
        }
        text(to, "reason", call.reason());
        text(to, "caller", call.request().tenant());
        text(to, "model", call.request().model());
        if (call.request().stream()) {
            to.writeBooleanField("stream", true);
        }
        text(to, "pool", call.pool());
        attempts(call, to);
        times(call, to);
        tokens(call, to);
        to.writeNumberField("bytes_in", call.bytesIn());
        to.writeNumberField("bytes_out", call.bytesOut());
    }

    private static void attempts(CallRecord call, JsonGenerator to) throws IOException {
        if (call.attempts().isEmpty()) {
            return;
        }
        to.writeStringField("endpoint", call.attempts().getLast().endpoint());
        to.writeArrayFieldStart("attempts");
        for (CallRecord.Attempt attempt : call.attempts()) {
            to.writeStartObject();
            to.writeStringField("endpoint", attempt.endpoint());
            to.writeStringField("result", word(attempt.result()));
            positive(to, "status", attempt.status());
            millis(to, "ms", attempt.endNanos() - attempt.startNanos());
            if (attempt.reused()) {
                to.writeBooleanField("reused", true);
            }
            to.writeEndObject();
        }
        to.writeEndArray();
    }

    private static void times(CallRecord call, JsonGenerator to) throws IOException {
        if (!call.pool().isEmpty()) {
            millis(to, "queue_ms", call.queueNanos());
        }
        if (call.ttftNanos() >= 0) {
            millis(to, "ttft_ms", call.ttftNanos());
        }
        millis(to, "total_ms", call.totalNanos());
        if (!call.attempts().isEmpty()) {
            to.writeNumberField("overhead_us", call.overheadNanos() / 1000);
        }
    }

    private static void tokens(CallRecord call, JsonGenerator to) throws IOException {
        if (call.attempts().isEmpty()) {
            return;
        }
        to.writeNumberField("prompt_tokens", call.promptTokens());
        to.writeNumberField("output_tokens", call.outputTokens());
        to.writeBooleanField("tokens_reported", call.usageReported());
    }

    private static void text(JsonGenerator to, String name, String value) throws IOException {
        if (!value.isEmpty()) {
            to.writeStringField(
                    name,
                    value.length() <= LONGEST ? value : value.substring(0, LONGEST - 1) + "…");
        }
    }

    private static void positive(JsonGenerator to, String name, int value) throws IOException {
        if (value > 0) {
            to.writeNumberField(name, value);
        }
    }

    /// To a thousandth of a millisecond.
    private static void millis(JsonGenerator to, String name, long nanos) throws IOException {
        to.writeNumberField(name, Math.round(nanos / 1e3) / 1e3);
    }

    private static String address(@Nullable SocketAddress client) {
        return switch (client) {
            case null -> "";
            case InetSocketAddress inet when inet.getAddress() != null ->
                    inet.getAddress().getHostAddress() + ":" + inet.getPort();
            default -> client.toString();
        };
    }

    private static String outcome(Outcome outcome) {
        return switch (outcome) {
            case Outcome.Completed _ -> "completed";
            case Outcome.Cancelled _ -> "cancelled";
            case Outcome.Rejected _ -> "rejected";
            case Outcome.Failed _ -> "failed";
            case Outcome.Broken _ -> "broken";
        };
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /// JSON's own escapes, and DEL: some terminals act on it.
    private static final class Escapes extends CharacterEscapes {
        @Override
        public int[] getEscapeCodesForAscii() {
            int[] codes = standardAsciiEscapesForJSON();
            codes[DEL] = ESCAPE_STANDARD;
            return codes;
        }

        @Override
        public @Nullable SerializableString getEscapeSequence(int c) {
            return new SerializedString(String.format("\\u%04x", c));
        }
    }
}
