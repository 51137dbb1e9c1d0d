package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.accounting.CallRecord;
import dev.sluice.proxy.flow.Origin.Script;
import dev.sluice.proxy.flow.RawClient.Response;
import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.response.Outcome;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.List;

/// An engine that dies: before the client has a byte the call goes elsewhere, after that it ends
/// with an error, and it never hangs.
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class UpstreamDeathFlowTest {
    private static final String CALL = "{\"model\":\"m\",\"stream\":true}";
    private static final String STREAM =
            "HTTP/1.1 200 OK\r\n"
                    + "Content-Type: text/event-stream\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n";
    private static final String EVENT = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";

    private final Origin bad = new Origin();
    private final Origin good = new Origin();
    private Rig rig;

    UpstreamDeathFlowTest() throws IOException {}

    @AfterEach
    void close() throws Exception {
        rig.close();
        bad.close();
        good.close();
    }

    /// How it dies before a byte of its body came.
    enum Early implements Script {
        CLOSES_AFTER_THE_REQUEST(""),
        CLOSES_INSIDE_THE_STATUS_LINE("HTTP/1.1 2"),
        CLOSES_INSIDE_THE_HEAD("HTTP/1.1 200 OK\r\nContent-Le"),
        CLOSES_AFTER_THE_HEAD("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        CLOSES_AFTER_THE_HEAD_OF_A_STREAM(STREAM),
        BREAKS_THE_RULES(
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
        SPEAKS_NO_HTTP("SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        HAS_AN_ENDLESS_HEAD("HTTP/1.1 200 OK\r\nX: " + "x".repeat(40_000)),
        SWITCHES_PROTOCOLS("HTTP/1.1 101 Switching\r\n\r\n"),
        NEVER_STOPS_INFORMING("HTTP/1.1 100 Continue\r\n\r\n".repeat(20)),
        ANSWERS_502("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad"),
        ANSWERS_503("HTTP/1.1 503 Unavailable\r\nContent-Length: 3\r\n\r\nbad"),
        ANSWERS_504("HTTP/1.1 504 Timeout\r\nContent-Length: 3\r\n\r\nbad");

        private final String sends;

        Early(String sends) {
            this.sends = sends;
        }

        @Override
        public void run(Origin.Conversation call) throws IOException {
            call.body();
            call.send(sends);
            call.close();
        }
    }

    @ParameterizedTest
    @EnumSource(Early.class)
    void goesElsewhereBeforeTheFirstByte(Early how) throws IOException {
        rig = Rig.of("", bad, good);
        bad.on(how);
        for (int i = 0; i < 2; i++) {
            Response response = rig.client().post("{\"model\":\"m\"}").read();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.body()).isEqualTo("ok");
            assertThat(response.header("x-sluice-endpoint")).isEqualTo(good.url());
        }
        List<CallRecord> records = rig.settled(2);
        assertThat(records).allMatch(r -> r.outcome().equals(new Outcome.Completed(200)));
        assertThat(bad.calls()).hasSizeBetween(1, 2);
        assertThat(good.calls()).hasSize(2);
        assertThat(records).anyMatch(r -> r.attempts().size() == 2);
    }

    @ParameterizedTest
    @EnumSource(
            value = Early.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"ANSWERS_502", "ANSWERS_503", "ANSWERS_504"})
    void answers502WhenNobodyElseIsLeft(Early how) throws IOException {
        rig = Rig.of("", bad);
        bad.on(how);
        Response response = rig.client().post("{\"model\":\"m\"}").read();
        assertThat(response.status()).isEqualTo(502);
        assertThat(response.body())
                .contains("\"type\":\"upstream_error\"")
                .contains("\"code\":\"upstream_failed\"")
                .contains(bad.url());
        assertThat(rig.outcome()).isInstanceOf(Outcome.Failed.class);
        assertThat(bad.calls()).hasSize(1);
    }

    @Test
    void relaysTheEnginesOwn503WhenNobodyElseIsLeft() throws IOException {
        rig = Rig.of("", bad);
        bad.on("HTTP/1.1 503 Unavailable\r\nContent-Length: 3\r\n\r\nbad");
        Response response = rig.client().post(CALL).read();
        assertThat(response.status()).isEqualTo(503);
        assertThat(response.body()).isEqualTo("bad");
        assertThat(rig.settled(1).getFirst().attempts())
                .extracting(CallRecord.Attempt::result)
                .containsExactly(AttemptResult.BAD_GATEWAY);
    }

    @Test
    void goesElsewhereWhenRefused() throws IOException {
        rig = Rig.of("", bad, good);
        bad.stopListening();
        for (int i = 0; i < 2; i++) {
            assertThat(rig.client().post(CALL).read().body()).isEqualTo("ok");
        }
        assertThat(rig.settled(2))
                .anyMatch(
                        r ->
                                r.attempts().size() == 2
                                        && r.attempts().getFirst().result()
                                                == AttemptResult.REFUSED);
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 404, 422, 500, 501})
    void relaysOtherErrorsWithoutRetry(int status) throws IOException {
        rig = Rig.of("", bad, good);
        String answer = "HTTP/1.1 " + status + " No\r\nContent-Length: 3\r\n\r\nbad";
        bad.on(answer);
        good.on(answer);
        Response response = rig.client().post(CALL).read();
        assertThat(response.status()).isEqualTo(status);
        assertThat(response.body()).isEqualTo("bad");
        assertThat(bad.calls().size() + good.calls().size()).isEqualTo(1);
        assertThat(rig.outcome()).isEqualTo(new Outcome.Completed(status));
    }

    @Test
    void triesAStaleConnectionOnceMoreOnAFreshOne() throws IOException {
        rig = Rig.of("", bad);
        bad.on(Origin.OK).on(call -> call.reset()).on(Origin.OK);
        RawClient client = rig.client();
        assertThat(client.post(CALL).read().body()).isEqualTo("ok");
        assertThat(client.post(CALL).read().body()).isEqualTo("ok");
        List<CallRecord> records = rig.settled(2);
        assertThat(records.getLast().attempts())
                .extracting(CallRecord.Attempt::result)
                .containsExactly(AttemptResult.STALE_CONNECTION, AttemptResult.OK);
        assertThat(records.getLast().attempts())
                .extracting(CallRecord.Attempt::reused)
                .containsExactly(true, false);
    }

    @Test
    void meetsNoErrorWhenTheEngineClosesAfterEachStream() throws IOException {
        rig = Rig.of("", bad);
        bad.on(
                call -> {
                    call.body();
                    call.send(STREAM + chunk(EVENT) + chunk("data: [DONE]\n\n") + "0\r\n\r\n");
                    call.close();
                });
        RawClient client = rig.client();
        for (int i = 0; i < 20; i++) {
            Response response = client.post(CALL).read();
            assertThat(response.whole()).isTrue();
            assertThat(response.body()).endsWith("[DONE]\n\n");
        }
        rig.settled(20);
    }

    /// How it dies after the client got a byte.
    enum Late implements Script {
        BETWEEN_CHUNKS(chunk(EVENT)),
        INSIDE_A_SIZE_LINE(chunk(EVENT) + "1"),
        INSIDE_A_CHUNK(chunk(EVENT) + "40\r\ndata: {\"cho"),
        AFTER_A_CHUNKS_CONTENT("2f\r\n" + EVENT.substring(0, 47)),
        INSIDE_A_CHUNKS_END(Integer.toHexString(EVENT.length()) + "\r\n" + EVENT + "\r"),
        INSIDE_AN_EVENT(chunk(EVENT) + chunk("data: {\"cho")),
        AFTER_THE_LAST_CHUNK_WITHOUT_DONE(chunk(EVENT) + "0\r\n\r\n"),
        WITH_A_BAD_CHUNK(chunk(EVENT) + "zz\r\n"),
        WITH_CONTENT_LONGER_THAN_ITS_CHUNK(chunk(EVENT) + "1\r\nxyz\r\n");

        private final String sends;

        Late(String sends) {
            this.sends = sends;
        }

        @Override
        public void run(Origin.Conversation call) throws IOException {
            call.body();
            call.send(STREAM + sends);
            call.close();
        }
    }

    @ParameterizedTest
    @EnumSource(Late.class)
    void endsABrokenStreamWithAnErrorAndWithoutDone(Late how) throws IOException {
        rig = Rig.of("", bad, good);
        bad.on(how);
        good.on(how);
        RawClient client = rig.client();
        Response response = client.post(CALL).read();
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.whole()).isFalse();
        assertThat(response.body()).doesNotContain("[DONE]");
        String last = response.body().strip();
        last = last.substring(last.lastIndexOf("\n\n") + 2);
        assertThat(last)
                .startsWith("data: {\"error\":{")
                .contains("\"code\":\"stream_broken\"")
                .endsWith("}}");
        client.assertClosed();
        assertThat(bad.calls().size() + good.calls().size()).as("attempts").isEqualTo(1);
        assertThat(rig.outcome()).isInstanceOf(Outcome.Broken.class);
    }

    @Test
    void tellsHttp10ClientsOfABrokenStream() throws IOException {
        rig = Rig.of("", bad);
        bad.on(Late.INSIDE_A_CHUNK);
        RawClient client = rig.client();
        client.send(RawClient.request(CALL).replace("HTTP/1.1", "HTTP/1.0"));
        assertThat(client.read().body()).endsWith("}}\n\n").contains("stream_broken");
        rig.settled(1);
    }

    @Test
    void speaksAnthropicsLanguageOnMessages() throws IOException {
        rig = Rig.of("", bad);
        bad.on(Late.BETWEEN_CHUNKS);
        RawClient client = rig.client();
        client.send(RawClient.request(CALL).replace("/v1/chat/completions", "/v1/messages"));
        assertThat(client.read().body())
                .contains("\n\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":");
        rig.settled(1);
    }

    @Test
    void cutsABodyOfDeclaredLengthWhereTheEngineDid() throws IOException {
        rig = Rig.of("", bad, good);
        Script half =
                call -> {
                    call.body();
                    call.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
                    call.close();
                };
        bad.on(half);
        good.on(half);
        RawClient client = rig.client();
        Response response = client.post("{\"model\":\"m\"}").read();
        assertThat(response.whole()).isFalse();
        assertThat(response.body()).isEqualTo("half");
        assertThat(bad.calls().size() + good.calls().size()).isEqualTo(1);
        assertThat(rig.outcome()).isEqualTo(new Outcome.Broken(AttemptResult.TRUNCATED));
    }

    @Test
    void dropsAConnectionThatSaysMoreThanItsAnswer() throws IOException {
        rig = Rig.of("", bad);
        bad.on(Origin.OK + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged").on(Origin.OK);
        RawClient client = rig.client();
        assertThat(client.post(CALL).read().body()).isEqualTo("ok");
        assertThat(client.post(CALL).read().body()).isEqualTo("ok");
        assertThat(bad.connections()).isEqualTo(2);
        rig.settled(2);
    }

    @Test
    void survivesAnEngineThatAnswersBeforeItHasReadTheBody() throws IOException {
        rig = Rig.of("limits: {replay: 1KiB}", bad);
        bad.on(call -> call.send("HTTP/1.1 400 Too Long\r\nContent-Length: 4\r\n\r\nlong"));
        RawClient client = rig.client();
        client.send(
                "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n"
                        + "{\"model\":\"m\",\"prompt\":\""
                        + "x".repeat(4_000));
        Response response = client.read();
        assertThat(response.status()).isEqualTo(400);
        assertThat(response.header("connection")).isEqualTo("close");
        assertThat(response.body()).isEqualTo("long");
        client.assertClosed();
        rig.settled(1);
    }

    private static String chunk(String content) {
        return Integer.toHexString(content.length()) + "\r\n" + content + "\r\n";
    }
}
