package dev.sluice.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/// Faults as a client meets them on the wire, set at run time.
class MishapsTest {
    private static final String CALL = "{\"prompt\":\"hello\",\"max_tokens\":20,\"stream\":true}";

    private Simulator simulator;

    @BeforeEach
    void start() throws IOException {
        simulator = Simulator.start(SimulatorTest.fast().withKeepAlive(Duration.ofMillis(400)));
    }

    @AfterEach
    void close() {
        simulator.close();
    }

    @Test
    void answersWithTheStatusAsked() throws IOException {
        faults("{\"status\":\"502:1\"}");
        assertThat(call()).startsWith("HTTP/1.1 502 Bad Gateway");
        faults("{\"refuse\":true}");
        assertThat(call()).startsWith("HTTP/1.1 429").contains("retry-after: 1\r\n");
        faults("{}");
        assertThat(call()).startsWith("HTTP/1.1 200").endsWith("data: [DONE]\n\n\r\n0\r\n\r\n");
    }

    @Test
    void keepsAStalledStreamsSlotUntilTheClientLeaves() throws Exception {
        faults("{\"stall\":1}");
        try (var socket = open(CALL)) {
            assertThat(socket.getInputStream().readNBytes(12)).asString().endsWith("200");
            await().until(() -> requests().at("/faulted").asInt() == 1);
            assertThat(requests().at("/running").asInt()).isEqualTo(1);
        }
        await().until(() -> requests().at("/running").asInt() == 0);
        assertThat(requests().at("/aborted").asInt()).isEqualTo(1);
    }

    @Test
    void endsAStreamWithoutItsEndMark() throws IOException {
        faults("{\"truncate\":1}");
        assertThat(call()).startsWith("HTTP/1.1 200").doesNotContain("[DONE]", "0\r\n\r\n");
    }

    @Test
    void resetsInTheMiddle() throws IOException {
        faults("{\"reset\":1}");
        assertThatThrownBy(this::call)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("reset");
    }

    @Test
    void breaksTheFraming() throws IOException {
        faults("{\"garbage\":1}");
        assertThat(call()).contains("not a chunk size");
    }

    @Test
    void neverAnswersWhenItHangsNotEvenProbes() throws IOException {
        faults("{\"hang\":1}");
        try (var socket = connect("GET /health HTTP/1.1\r\nhost: x\r\n\r\n")) {
            socket.setSoTimeout(300);
            assertThatThrownBy(() -> socket.getInputStream().read())
                    .hasMessageContaining("timed out");
        }
    }

    @Test
    void refusesAWrongSetAndKeepsTheOldOne() throws IOException {
        faults("{\"error\":1}");
        assertThat(post("/sim/faults", "{\"eror\":1}"))
                .startsWith("HTTP/1.1 400")
                .contains("did you mean error?");
        assertThat(call()).startsWith("HTTP/1.1 500");
    }

    @Test
    void closesAnIdleConnectionInGoodOrder() throws IOException {
        try (var socket = connect("GET /version HTTP/1.1\r\nhost: x\r\n\r\n")) {
            byte[] all = socket.getInputStream().readAllBytes();
            assertThat(all).asString().startsWith("HTTP/1.1 200").endsWith("}");
        }
    }

    @Test
    void answersPipelinedRequestsInTheirOrder() throws IOException {
        String two =
                "POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 30\r\n\r\n"
                        + "{\"prompt\":\"abcd\",\"max_tokens\":2}".substring(0, 30)
                        + "GET /version HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        try (var socket = connect(two)) {
            String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(all.indexOf("error")).isPositive().isLessThan(all.indexOf("\"version\""));
        }
    }

    @Test
    void crashesWhenItsTimeHasCome() throws IOException {
        faults("{\"crash-after\":\"50ms\"}");
        assertThat(simulator.ended().toCompletableFuture().join())
                .isEqualTo(Simulator.Ending.CRASHED);
        await().untilAsserted(() -> assertThatThrownBy(this::call).isInstanceOf(IOException.class));
    }

    private void faults(String json) throws IOException {
        assertThat(post("/sim/faults", json)).startsWith("HTTP/1.1 200");
    }

    private JsonNode requests() throws IOException {
        try (var socket =
                connect("GET /sim/requests HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")) {
            String all = read(socket.getInputStream());
            return new ObjectMapper().readTree(all.substring(all.indexOf("\r\n\r\n")));
        }
    }

    private String call() throws IOException {
        return post("/v1/completions", CALL);
    }

    private String post(String path, String body) throws IOException {
        try (var socket =
                connect(
                        "POST "
                                + path
                                + " HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: "
                                + body.length()
                                + "\r\n\r\n"
                                + body)) {
            return read(socket.getInputStream());
        }
    }

    private Socket open(String body) throws IOException {
        return connect(
                "POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: "
                        + body.length()
                        + "\r\n\r\n"
                        + body);
    }

    private Socket connect(String request) throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), simulator.port());
        OutputStream out = socket.getOutputStream();
        out.write(request.getBytes(StandardCharsets.UTF_8));
        out.flush();
        return socket;
    }

    private static String read(InputStream in) throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
}
