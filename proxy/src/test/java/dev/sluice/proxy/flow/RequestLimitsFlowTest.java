package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.proxy.flow.RawClient.Response;
import dev.sluice.proxy.response.Outcome;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;

/// What a client may not send, and what it is told.
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class RequestLimitsFlowTest {
    private static final String HEAD = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n";

    private final Origin origin = new Origin();
    private Rig rig;

    RequestLimitsFlowTest() throws IOException {}

    @AfterEach
    void close() throws Exception {
        rig.close();
        origin.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"model\":\"m\"| invalid_json",
                "{\"model\":\"m\",}| invalid_json",
                "[1]| invalid_json",
                "not json| invalid_json",
                "{\"model\":\"m\",\"model\":\"n\"}| duplicate_model",
                "{\"model\":7}| invalid_model",
            })
    void answers400OnABodyThatIsWrong(String body, String code) throws IOException {
        rig = Rig.of("", origin);
        RawClient client = rig.client().post(body);
        Response response = client.read();
        assertThat(response.status()).isEqualTo(400);
        assertThat(response.header("content-type")).isEqualTo("application/json");
        assertThat(response.body())
                .contains("\"type\":\"invalid_request_error\"")
                .contains("\"code\":\"" + code + "\"");
        assertThat(rig.outcome()).isInstanceOf(Outcome.Rejected.class);
        assertThat(origin.calls()).isEmpty();
    }

    @Test
    void keepsTheConnectionAfterAWrongBodyThatWasReadWhole() throws IOException {
        rig = Rig.of("", origin);
        RawClient client = rig.client().post("{\"model\":\"m\"");
        assertThat(client.read().status()).isEqualTo(400);
        assertThat(client.post("{\"model\":\"m\"}").read().status()).isEqualTo(200);
        rig.settled(2);
    }

    @Test
    void answers404OnAModelThatNobodyServes() throws IOException {
        rig = Rig.of("", origin);
        Response response = rig.client().post("{\"model\":\"nobody\"}").read();
        assertThat(response.status()).isEqualTo(404);
        assertThat(response.body())
                .contains("\"code\":\"model_not_found\"")
                .contains("nobody")
                .contains("m");
        rig.settled(1);
        assertThat(origin.calls()).isEmpty();
    }

    @Test
    void answers404OutsideV1() throws IOException {
        rig = Rig.of("", origin);
        RawClient client = rig.client();
        client.send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(client.read().status()).isEqualTo(404);
        client.send("GET /v1 HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(client.read().status()).isEqualTo(404);
        rig.settled(2);
    }

    @Test
    void listsModelsAndSurvivesNamesThatCannotBeDecoded() throws IOException {
        rig = Rig.of("", origin);
        RawClient client = rig.client();
        client.send("GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(client.read().body()).contains("\"id\":\"m\"");
        client.send("GET /v1/models/m HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(client.read().body()).startsWith("{\"id\":\"m\"");
        client.send("GET /v1/models/nobody HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(client.read().status()).isEqualTo(404);
        client.send("GET /v1/models/%zz HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(client.read().status()).isEqualTo(404);
        client.send("HEAD /v1/models HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(client.read(true).status()).isEqualTo(200);
        client.send("DELETE /v1/models HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(client.read().status()).isEqualTo(405);
        rig.settled(6);
    }

    @Test
    void answers413OnADeclaredLengthOverTheLimit() throws IOException {
        rig = Rig.of("limits: {body: 10KiB, replay: 1KiB}", origin);
        RawClient client = rig.client();
        client.send(HEAD + "Content-Length: 20000\r\n\r\n{");
        Response response = client.read();
        assertThat(response.status()).isEqualTo(413);
        assertThat(response.body()).contains("limits.body");
        client.assertClosed();
        rig.settled(1);
        assertThat(origin.calls()).isEmpty();
    }

    @Test
    void answers413OnChunksOverTheLimit() throws IOException {
        rig = Rig.of("limits: {body: 10KiB, replay: 10KiB}", origin);
        RawClient client = rig.client();
        client.send(HEAD + "Transfer-Encoding: chunked\r\n\r\n10\r\n{\"model\":\"m\",\"x\"\r\n");
        client.send("1\r\n:\r\n1\r\n\"\r\n");
        client.send("2710\r\n" + "x".repeat(10_000) + "\r\n400\r\n" + "x".repeat(1024) + "\r\n");
        assertThat(client.read().status()).isEqualTo(413);
        client.assertClosed();
        rig.settled(1);
        assertThat(origin.calls()).isEmpty();
    }

    @Test
    void cutsAStreamedBodyThatGrowsOverTheLimit() throws IOException {
        rig = Rig.of("limits: {body: 10KiB, replay: 1KiB}", origin);
        origin.on(
                call -> {
                    try {
                        call.body();
                    } finally {
                        call.close();
                    }
                });
        RawClient client = rig.client();
        client.send(
                HEAD
                        + "Transfer-Encoding: chunked\r\n\r\n1000\r\n{\"model\":\"m\",\"x\":\""
                        + "x".repeat(0x1000 - 18)
                        + "\r\n");
        await().until(() -> origin.calls().size() == 1);
        client.send("2000\r\n" + "x".repeat(0x2000) + "\r\n");
        assertThat(client.read().status()).isEqualTo(413);
        client.assertClosed();
        rig.settled(1);
        await().until(() -> origin.open() == 0);
    }

    @Test
    void streamsABodyOverTheReplayLimit() throws IOException {
        rig = Rig.of("limits: {replay: 1KiB}\naliases: {fast: m}", origin);
        String tail = "x".repeat(300_000) + "\"}";
        for (String model : new String[] {"m", "fast"}) {
            String start = "{\"model\":\"" + model + "\",\"p\":\"";
            RawClient client = rig.client();
            client.send(
                    HEAD
                            + "Content-Length: "
                            + (start.length() + tail.length())
                            + "\r\n\r\n"
                            + start
                            + tail.substring(0, 2_000));
            int seen = model.equals("m") ? 1 : 2;
            await().until(() -> origin.calls().size() == seen);
            client.send(tail.substring(2_000));
            assertThat(client.read().status()).isEqualTo(200);
            assertThat(origin.calls().getLast().body())
                    .isEqualTo("{\"model\":\"m\",\"p\":\"" + tail);
            assertThat(client.post("{\"model\":\"m\"}").read().status()).isEqualTo(200);
            origin.calls().removeLast();
        }
        rig.settled(4);
    }

    @Test
    void streamsChunksOverTheReplayLimit() throws IOException {
        rig = Rig.of("limits: {replay: 1KiB}", origin);
        RawClient client = rig.client();
        client.send(
                HEAD
                        + "Transfer-Encoding: chunked\r\n\r\n1000\r\n{\"model\":\"m\",\"x\":\""
                        + "x".repeat(0x1000 - 18)
                        + "\r\n");
        await().until(() -> origin.calls().size() == 1);
        client.send("3;e\r\nyyy\r\n2\r\n\"}\r\n0\r\n\r\n");
        assertThat(client.read().status()).isEqualTo(200);
        assertThat(origin.calls().getFirst().header("transfer-encoding")).isEqualTo("chunked");
        assertThat(origin.calls().getFirst().body())
                .isEqualTo("{\"model\":\"m\",\"x\":\"" + "x".repeat(0x1000 - 18) + "yyy\"}");
        rig.settled(1);
    }

    @Test
    void refusesAStreamedBodyWhoseRestIsWrong() throws IOException {
        rig = Rig.of("limits: {replay: 1KiB}", origin);
        RawClient client = rig.client();
        client.send(
                HEAD
                        + "Transfer-Encoding: chunked\r\n\r\n1000\r\n{\"model\":\"m\",\"x\":\""
                        + "x".repeat(0x1000 - 18)
                        + "\r\n");
        await().until(() -> origin.calls().size() == 1);
        client.send("10\r\n\",\"model\":\"n\"}  \r\n0\r\n\r\n");
        Response response = client.read();
        assertThat(response.status()).isEqualTo(400);
        assertThat(response.body()).contains("duplicate_model");
        client.assertClosed();
        rig.settled(1);
        await().until(() -> origin.open() == 0);
    }

    @Test
    void neverWritesASecondHeadIntoAnAnswer() throws IOException {
        rig = Rig.of("limits: {replay: 1KiB}", origin);
        origin.on(
                call -> {
                    call.send(
                            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                    + "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n");
                    call.awaitClose();
                });
        RawClient client = rig.client();
        String start = "{\"model\":\"m\",\"x\":\"" + "x".repeat(0x1000 - 18);
        client.send(HEAD + "Transfer-Encoding: chunked\r\n\r\n1000\r\n" + start + "\r\n");
        assertThat(client.readHead()).startsWith("HTTP/1.1 200");
        client.readUntil("data: x\n\n\r\n");
        client.send("zz\r\n");
        String rest = client.readUntil("}}\n\n\r\n");
        assertThat(rest).doesNotContain("HTTP/1.1").contains("data: {\"error\":");
        client.assertClosed();
        assertThat(rig.outcome()).isInstanceOf(Outcome.Broken.class);
    }

    @Test
    void givesUpAHeadThatComesTooSlowly() throws IOException {
        rig = Rig.of("server: {head_timeout: 300ms, stop_after: 0s}", origin);
        RawClient silent = rig.client();
        RawClient slow = rig.client();
        slow.send("POST /v1/chat/completions HTTP/1.1\r\nHo");
        assertThat(slow.read().status()).isEqualTo(408);
        slow.assertClosed();
        silent.assertClosed();
        rig.settled(0);
    }

    @Test
    void givesUpABodyThatComesTooSlowly() throws IOException {
        rig = Rig.of("server: {head_timeout: 300ms, stop_after: 0s}", origin);
        RawClient client = rig.client();
        client.send(HEAD + "Content-Length: 5000\r\n\r\n{\"model\"");
        Response response = client.read();
        assertThat(response.status()).isEqualTo(408);
        assertThat(response.body()).contains("request_timeout");
        client.assertClosed();
        assertThat(rig.outcome()).isInstanceOf(Outcome.Rejected.class);
    }

    @Test
    void closesIdleConnections() throws IOException {
        rig = Rig.of("server: {keep_alive: 200ms, stop_after: 0s}", origin);
        RawClient client = rig.client().post("{\"model\":\"m\"}");
        assertThat(client.read().status()).isEqualTo(200);
        client.assertClosed();
        rig.settled(1);
    }

    @Test
    void boundsConnectionsAndRequestsOnEach() throws IOException {
        rig =
                Rig.of(
                        "server: {max_connections: 2, max_requests_per_connection: 2, stop_after:"
                                + " 0s}",
                        origin);
        RawClient first = rig.client();
        rig.client();
        await().until(() -> rig.connections() == 2);
        rig.client().assertClosed();
        assertThat(first.post("{\"model\":\"m\"}").read().header("connection")).isNull();
        assertThat(first.post("{\"model\":\"m\"}").read().header("connection")).isEqualTo("close");
        first.assertClosed();
        rig.settled(2);
        await().until(() -> rig.connections() == 1);
        assertThat(rig.client().post("{\"model\":\"m\"}").read().status()).isEqualTo(200);
    }
}
