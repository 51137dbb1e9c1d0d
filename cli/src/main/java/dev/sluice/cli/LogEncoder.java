package dev.sluice.cli;

import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.pattern.ThrowableProxyConverter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.encoder.EncoderBase;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;

import org.jspecify.annotations.Nullable;
import org.slf4j.event.KeyValuePair;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.UnaryOperator;

/// Writes the log: for people, or as one JSON object on each line, with `time`, `level`, `logger`,
/// `message`, the event's own keys, and `error` with a stack trace where there is one.
///
/// `SLUICE_LOG_FORMAT` says which: `text` or `json`. Without it, text on a terminal and JSON
/// elsewhere; the launcher knows which of the two standard error is, and sets it.
public final class LogEncoder extends EncoderBase<ILoggingEvent> {
    static final String FORMAT = "SLUICE_LOG_FORMAT";

    private static final Set<String> TAKEN = Set.of("time", "level", "logger", "message", "error");
    private static final JsonFactory JSON = new JsonFactory();

    private final boolean json;
    private final PatternLayoutEncoder text = new PatternLayoutEncoder();
    private final ThrowableProxyConverter traces = new ThrowableProxyConverter();

    /// As logback makes it.
    public LogEncoder() {
        this(json(System::getenv, Console.ofProcess().terminal()));
    }

    LogEncoder(boolean json) {
        this.json = json;
    }

    /// For a file that a person reads.
    static Encoder<ILoggingEvent> forPeople() {
        return new LogEncoder(false);
    }

    /// Whether lines are JSON. A word that is neither counts as absent; {@link #problem} tells.
    static boolean json(UnaryOperator<@Nullable String> environment, boolean terminal) {
        return switch (String.valueOf(environment.apply(FORMAT))) {
            case "json" -> true;
            case "text" -> false;
            default -> !terminal;
        };
    }

    /// What is wrong with the variable; null when nothing is.
    static @Nullable String problem(UnaryOperator<@Nullable String> environment) {
        String word = environment.apply(FORMAT);
        return word == null || word.isEmpty() || word.equals("json") || word.equals("text")
                ? null
                : FORMAT + "=" + word + ": write text or json";
    }

    @Override
    public void start() {
        text.setContext(context);
        text.setPattern("%d{HH:mm:ss.SSS} %-5level %-12logger{0} %msg%n");
        text.start();
        traces.start();
        super.start();
    }

    @Override
    public byte[] encode(ILoggingEvent event) {
        return json ? line(event) : text.encode(event);
    }

    @Override
    public byte @Nullable [] headerBytes() {
        return null;
    }

    @Override
    public byte @Nullable [] footerBytes() {
        return null;
    }

    private byte[] line(ILoggingEvent event) {
        var out = new ByteArrayOutputStream(256);
        try (JsonGenerator to = JSON.createGenerator(out)) {
            to.writeStartObject();
            to.writeStringField("time", DateTimeFormatter.ISO_INSTANT.format(event.getInstant()));
            to.writeStringField("level", event.getLevel().levelStr.toLowerCase(Locale.ROOT));
            to.writeStringField("logger", event.getLoggerName());
            to.writeStringField("message", event.getFormattedMessage());
            List<KeyValuePair> keys = event.getKeyValuePairs();
            for (KeyValuePair pair : keys == null ? List.<KeyValuePair>of() : keys) {
                to.writeFieldName(TAKEN.contains(pair.key) ? pair.key + "_" : pair.key);
                value(to, pair.value);
            }
            if (event.getThrowableProxy() != null) {
                to.writeStringField("error", traces.convert(event));
            }
            to.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory does not fail
        }
        out.writeBytes("\n".getBytes(StandardCharsets.UTF_8));
        return out.toByteArray();
    }

    private static void value(JsonGenerator to, @Nullable Object value) throws IOException {
        switch (value) {
            case null -> to.writeNull();
            case Integer number -> to.writeNumber(number);
            case Long number -> to.writeNumber(number);
            case Double number -> to.writeNumber(number);
            case Boolean flag -> to.writeBoolean(flag);
            default -> to.writeString(value.toString());
        }
    }
}
