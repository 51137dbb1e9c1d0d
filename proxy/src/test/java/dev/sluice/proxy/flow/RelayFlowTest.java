package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.flow.RawClient.Response;
import dev.sluice.proxy.response.Outcome;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.Random;

/// What goes through goes through byte for byte, whoever frames how.
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class RelayFlowTest {
    private static final String CALL = "{\"model\":\"m\",\"messages\":[]}";
    private static final String STREAM =
            "HTTP/1.1 200 OK\r\n"
                    + "Content-Type: text/event-stream\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n";

    private final Origin origin;
    private Rig rig;

    RelayFlowTest() throws IOException {
        origin = new Origin();
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        origin.close();
    }

    private RawClient client() throws IOException {
        if (rig == null) {
            rig = Rig.of("", origin);
        }
        return rig.client();
    }

    @Test
    void relaysABodyOfDeclaredLength() throws IOException {
        origin.on("HTTP/1.1 201 Made\r\nContent-Length: 5\r\nX-Engine: v\r\n\r\nhello");
        Response response = client().post(CALL).read();
        assertThat(response.status()).isEqualTo(201);
        assertThat(response.head()).startsWith("HTTP/1.1 201 Made\r\n");
        assertThat(response.body()).isEqualTo("hello");
        assertThat(response.header("x-engine")).isEqualTo("v");
        assertThat(response.header("x-sluice-endpoint")).isEqualTo(origin.url());
        assertThat(response.header("x-sluice-attempts")).isEqualTo("1");
        assertThat(response.header("x-request-id")).startsWith("req_");
        assertThat(origin.calls().getFirst().body()).isEqualTo(CALL);
        assertThat(rig.outcome()).isEqualTo(new Outcome.Completed(201));
    }

    @Test
    void relaysChunksAsTheyStand() throws IOException {
        String wire = "5\r\nhello\r\n0A\r\n0123456789\r\n1\r\nx\r\n";
        origin.on(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + wire
                        + "0\r\nX-Trailer: v\r\n\r\n");
        Response response = client().post(CALL).read();
        assertThat(response.wire()).isEqualTo(wire + "0\r\n\r\n");
        assertThat(rig.outcome()).isEqualTo(new Outcome.Completed(200));
    }

    @Test
    void keepsContentWhateverTheEngineSplits() throws IOException {
        var random = new Random(3);
        for (int round = 0; round < 20; round++) {
            origin.on(
                    call -> {
                        byte[] bytes =
                                (STREAM
                                                + "4;e=1\r\nda\nt\r\n003\r\na:1\r\n2\r\n\n\n\r\n"
                                                + "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
                                        .getBytes(java.nio.charset.StandardCharsets.US_ASCII);
                        for (int at = 0; at < bytes.length; ) {
                            int n = Math.min(bytes.length - at, 1 + random.nextInt(12));
                            call.send(java.util.Arrays.copyOfRange(bytes, at, at + n));
                            at += n;
                        }
                    });
            Response response = client().post(CALL).read();
            assertThat(response.whole()).isTrue();
            assertThat(response.body()).isEqualTo("da\nta:1\n\ndata: [DONE]\n\n");
        }
        rig.settled(20);
    }

    @Test
    void framesABodyThatEndsWithTheConnection() throws IOException {
        origin.on(
                call -> {
                    call.send("HTTP/1.0 200 OK\r\n\r\nuntil the end");
                    call.close();
                });
        Response response = client().post(CALL).read();
        assertThat(response.header("transfer-encoding")).isEqualTo("chunked");
        assertThat(response.body()).isEqualTo("until the end");
        assertThat(response.whole()).isTrue();
        assertThat(response.head()).startsWith("HTTP/1.1 200 OK");
        rig.settled(1);
    }

    @Test
    void endsAnswersWithoutBodyAtTheirHead() throws IOException {
        origin.on("HTTP/1.1 204 No Content\r\n\r\n")
                .on("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n")
                .on("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")
                .on("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                .on("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        RawClient client = client();
        assertThat(client.post(CALL).read().status()).isEqualTo(204);
        assertThat(client.post(CALL).read().header("content-length")).isEqualTo("7");
        String head = "HEAD /v1/files HTTP/1.1\r\nHost: a\r\n\r\n";
        assertThat(client.send(head).read(true).header("content-length")).isEqualTo("7");
        assertThat(client.send(head).read(true).status()).isEqualTo(200);
        assertThat(client.post(CALL).read().body()).isEmpty();
        rig.settled(5);
        assertThat(origin.connections()).isEqualTo(1);
    }

    @Test
    void skipsInformationalResponses() throws IOException {
        origin.on(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                        + Origin.OK);
        Response response = client().post(CALL).read();
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.body()).isEqualTo("ok");
        rig.settled(1);
    }

    @Test
    void givesHttp10ClientsPlainBodies() throws IOException {
        origin.on("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
                .on("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        RawClient client = client();
        client.send("GET /v1/files HTTP/1.0\r\nHost: a\r\n\r\n");
        Response response = client.read();
        assertThat(response.header("transfer-encoding")).isNull();
        assertThat(response.header("connection")).isEqualTo("close");
        assertThat(response.body()).isEqualTo("hello");
        client.assertClosed();

        RawClient keeper = client();
        String kept = "GET /v1/files HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
        assertThat(keeper.send(kept).read().header("connection")).isEqualTo("keep-alive");
        assertThat(keeper.send(kept).read().body()).isEqualTo("ok");
        rig.settled(3);
    }

    @Test
    void answersPipelinedRequestsInOrder() throws IOException {
        for (int i = 0; i < 5; i++) {
            origin.on("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + i);
        }
        RawClient client = client();
        client.send(RawClient.request(CALL).repeat(5));
        for (int i = 0; i < 5; i++) {
            assertThat(client.read().body()).isEqualTo(String.valueOf(i));
        }
        assertThat(origin.connections()).isEqualTo(1);
        rig.settled(5);
    }

    @Test
    void answersARequestThatComesByteByByte() throws IOException {
        RawClient client = client();
        for (char c : RawClient.request(CALL).toCharArray()) {
            client.send(String.valueOf(c));
        }
        assertThat(client.read().body()).isEqualTo("ok");
        assertThat(origin.calls().getFirst().body()).isEqualTo(CALL);
        rig.settled(1);
    }

    @Test
    void reusesConnectionsOnBothSides() throws IOException {
        RawClient client = client();
        for (int i = 0; i < 10; i++) {
            assertThat(client.post(CALL).read().body()).isEqualTo("ok");
        }
        assertThat(origin.connections()).isEqualTo(1);
        assertThat(rig.settled(10).getLast().attempts().getFirst().reused()).isTrue();
    }

    @Test
    void closesWhereEitherSideAsksForIt() throws IOException {
        origin.on("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
        RawClient client = client();
        assertThat(client.post(CALL).read().header("connection")).isNull();
        assertThat(client.post(CALL).read().body()).isEqualTo("ok");
        assertThat(origin.connections()).isEqualTo(2);
        client.send("GET /v1/files HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assertThat(client.read().header("connection")).isEqualTo("close");
        client.assertClosed();
        rig.settled(3);
    }

    @Test
    void continuesOnlyWhenTheClientWaits() throws IOException {
        RawClient client = client();
        String head =
                "POST /v1/chat/completions HTTP/1.1\r\n"
                        + "Host: a\r\n"
                        + "Expect: 100-continue\r\n"
                        + "Content-Length: ";
        client.send(head + CALL.length() + "\r\n\r\n");
        assertThat(client.readHead()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
        assertThat(client.send(CALL).read().status()).isEqualTo(200);
        assertThat(origin.calls().getFirst().header("expect")).isNull();

        client.send(head + CALL.length() + "\r\n\r\n" + CALL);
        assertThat(client.read().status()).isEqualTo(200);

        client.send(head + (100L << 20) + "\r\n\r\n");
        assertThat(client.read().status()).isEqualTo(413);
        client.assertClosed();
        rig.settled(3);
    }

    @Test
    void writesTheHeadForTheEngineAnew() throws IOException {
        RawClient client = client();
        client.send(
                "POST http://a:1/v1/chat/completions?q=1 HTTP/1.1\r\n"
                        + "Host: a:1\r\n"
                        + "Connection: keep-alive, X-Hop\r\n"
                        + "X-Hop: 1\r\n"
                        + "Keep-Alive: 5\r\n"
                        + "TE: trailers\r\n"
                        + "Trailer: x\r\n"
                        + "Upgrade: x\r\n"
                        + "Proxy-Connection: close\r\n"
                        + "Proxy-Authorization: secret\r\n"
                        + "Authorization: secret\r\n"
                        + "X-API-Key: secret\r\n"
                        + "Api-Key: secret\r\n"
                        + "Cookie: secret\r\n"
                        + "X-Sluice-Pool: x\r\n"
                        + "X-Forwarded-For: 1.2.3.4\r\n"
                        + "Forwarded: for=1.2.3.4\r\n"
                        + "Content-Type: application/json\r\n"
                        + "X-Mine:  two  words \r\n"
                        + "X-Mine: again\r\n"
                        + "X-Request-Id: mine-1\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n"
                        + "5;ext\r\n"
                        + "{\"mod\r\n"
                        + "8\r\n"
                        + "el\":\"m\"}\r\n"
                        + "0\r\n"
                        + "X-Trailer: v\r\n\r\n");
        Response response = client.read();
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.header("x-request-id")).isEqualTo("mine-1");
        var call = origin.calls().getFirst();
        assertThat(call.head)
                .isEqualTo(
                        "POST /v1/chat/completions?q=1 HTTP/1.1\r\nHost: "
                                + origin.url().substring(7)
                                + "\r\n"
                                + "Content-Type: application/json\r\n"
                                + "X-Mine:  two  words\r\n"
                                + "X-Mine: again\r\n"
                                + "x-request-id: mine-1\r\n"
                                + "Content-Length: 13\r\n\r\n");
        assertThat(call.body()).isEqualTo("{\"model\":\"m\"}");
        rig.settled(1);
    }

    @Test
    void dropsWhatConcernsOneHopFromTheAnswer() throws IOException {
        origin.on(
                "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
                        + "X-Sluice-Endpoint: forged\r\nX-Request-Id: other\r\nTrailer: x\r\n"
                        + "Set-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 2\r\n\r\nok");
        Response response = client().post(CALL).read();
        assertThat(response.header("x-hop")).isNull();
        assertThat(response.header("keep-alive")).isNull();
        assertThat(response.header("trailer")).isNull();
        assertThat(response.header("connection")).isNull();
        assertThat(response.head()).contains("Set-Cookie: a\r\nSet-Cookie: b\r\n");
        assertThat(response.head()).doesNotContain("forged").doesNotContain("other");
        rig.settled(1);
    }

    @Test
    void rewritesAnAliasInTheBody() throws IOException {
        rig = Rig.of("aliases: {fast: m}", origin);
        String body = "{\"messages\":[{\"content\":\"fast\"}],\"model\" : \"fast\"}";
        assertThat(client().post(body).read().status()).isEqualTo(200);
        assertThat(origin.calls().getFirst().body())
                .isEqualTo("{\"messages\":[{\"content\":\"fast\"}],\"model\" : \"m\"}");
        assertThat(rig.settled(1).getFirst().request().model()).isEqualTo("m");
    }
}
