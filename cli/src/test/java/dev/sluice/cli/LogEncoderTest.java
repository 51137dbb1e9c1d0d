package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;

class LogEncoderTest {
    private final Logger logger = new LoggerContext().getLogger("dev.sluice.proxy.Reload");

    private static String encode(boolean json, LoggingEvent event) {
        var encoder = new LogEncoder(json);
        encoder.setContext(new LoggerContext());
        encoder.start();
        return new String(encoder.encode(event), StandardCharsets.UTF_8);
    }

    private LoggingEvent event(Throwable thrown) {
        var event =
                new LoggingEvent(
                        "",
                        logger,
                        Level.WARN,
                        "a \"{}\"\nin two lines",
                        thrown,
                        new Object[] {"name"});
        event.setInstant(Instant.parse("2026-01-02T03:04:05.006Z"));
        return event;
    }

    @Test
    void writesOneObjectOnOneLine() throws IOException {
        LoggingEvent event = event(new IllegalStateException("broken"));
        event.addKeyValuePair(new KeyValuePair("port", 8080));
        event.addKeyValuePair(new KeyValuePair("dry_run", true));
        event.addKeyValuePair(new KeyValuePair("level", "of water"));
        String line = encode(true, event);
        assertThat(line).endsWith("}\n").hasLineCount(1);
        JsonNode json = new ObjectMapper().readTree(line);
        assertThat(json.get("time").asText()).isEqualTo("2026-01-02T03:04:05.006Z");
        assertThat(json.get("level").asText()).isEqualTo("warn");
        assertThat(json.get("logger").asText()).isEqualTo("dev.sluice.proxy.Reload");
        assertThat(json.get("message").asText()).isEqualTo("a \"name\"\nin two lines");
        assertThat(json.get("port").asInt()).isEqualTo(8080);
        assertThat(json.get("dry_run").isBoolean()).isTrue();
        assertThat(json.get("level_").asText()).isEqualTo("of water");
        assertThat(json.get("error").asText()).contains("IllegalStateException: broken", "at ");
    }

    @Test
    void writesForPeopleOnATerminal() {
        assertThat(encode(false, event(null)))
                .matches("(?s)[\\d:.]{12} WARN  Reload       a \"name\"\nin two lines\n");
    }

    @Test
    void isJsonOffATerminalUnlessSaidOtherwise() {
        Map<String, String> none = Map.of();
        assertThat(LogEncoder.json(none::get, true)).isFalse();
        assertThat(LogEncoder.json(none::get, false)).isTrue();
        assertThat(LogEncoder.json(_ -> "text", false)).isFalse();
        assertThat(LogEncoder.json(_ -> "json", true)).isTrue();
        assertThat(LogEncoder.problem(_ -> "xml"))
                .contains("SLUICE_LOG_FORMAT=xml", "text or json");
        assertThat(LogEncoder.problem(none::get)).isNull();
    }
}
