package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.proxy.flow.Http2Client.Heard;
import dev.sluice.proxy.response.Outcome;

import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameStream;
import io.netty.handler.codec.http2.Http2Headers;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntFunction;

/// HTTP/2 by prior knowledge on the plain port.
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class Http2FlowTest {
    private static final String CALL = "{\"model\":\"m\",\"stream\":true}";
    private static final String STREAM =
            "HTTP/1.1 200 OK\r\n"
                    + "Content-Type: text/event-stream\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n";
    private static final String EVENT = "9\r\ndata: x\n\n\r\n";
    private static final String DONE = "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";

    private final Origin origin = new Origin();
    private final CountDownLatch go = new CountDownLatch(1);
    private final CountDownLatch gone = new CountDownLatch(1);
    private Rig rig;
    private Http2Client client;

    Http2FlowTest() throws IOException {}

    private void start(String yaml, boolean greedy) throws Exception {
        rig = Rig.of(yaml, origin);
        client = new Http2Client(rig.port(), greedy, null);
    }

    @AfterEach
    void close() throws Exception {
        go.countDown();
        client.close();
        rig.close();
        origin.close();
    }

    @Test
    void relaysAStream() throws Exception {
        origin.on(STREAM + EVENT + EVENT + DONE);
        start("", true);
        client.post(CALL);
        assertThat(client.hear("HEADERS").text()).isEqualTo("200");
        assertThat(client.body()).isEqualTo("data: x\n\ndata: x\n\ndata: [DONE]\n\n");
        assertThat(rig.outcome()).isEqualTo(new Outcome.Completed(200));
        assertThat(origin.calls().getFirst().head).contains("HTTP/1.1\r\n");
        assertThat(origin.calls().getFirst().body()).isEqualTo(CALL);
    }

    @Test
    void endsAShortAnswerInItsOnlyData() throws Exception {
        start("", true);
        client.post("{\"model\":\"m\"}");
        assertThat(client.hear("HEADERS").end()).isFalse();
        assertThat(client.hear("DATA").end()).isTrue();
        rig.settled(1);
    }

    @Test
    void refusesWithAnAnswerAndKeepsTheConnection() throws Exception {
        start("", true);
        client.send(Http2Client.head("GET", "/nowhere"), true);
        assertThat(client.hear("HEADERS").text()).isEqualTo("404");
        assertThat(client.body()).contains("error");
        Http2Headers underscore = Http2Client.head("GET", "/v1/models");
        underscore.add("x_y", "1");
        client.send(underscore, true);
        assertThat(client.hear("HEADERS").text()).isEqualTo("400");
        assertThat(client.body()).contains("error");
        client.post(CALL);
        assertThat(client.hear("HEADERS").text()).isEqualTo("200");
    }

    @Test
    void resetsWhatIsMalformed() throws Exception {
        start("", true);
        Http2Headers smuggled = Http2Client.head("GET", "/v1/models HTTP/1.1");
        client.send(smuggled, true);
        assertThat(client.hear("RST").text()).isEqualTo("" + Http2Error.PROTOCOL_ERROR.code());
        assertThat(origin.calls()).isEmpty();
    }

    @Test
    void cancelsAtOnceWhileTheEngineThinks() throws Exception {
        origin.on(this::untilGone);
        start("", true);
        Http2FrameStream stream = client.post(CALL);
        await().until(() -> origin.calls().size() == 1);
        client.reset(stream);
        assertThat(rig.outcome()).isEqualTo(new Outcome.Cancelled(Outcome.Phase.WAITING));
        assertThat(gone.await(5, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void cancelsAtOnceInsideAStream() throws Exception {
        origin.on(
                call -> {
                    call.body();
                    call.send(STREAM + EVENT);
                    untilGone(call);
                });
        start("", true);
        Http2FrameStream stream = client.post(CALL);
        client.hear("DATA");
        client.reset(stream);
        assertThat(rig.outcome()).isEqualTo(new Outcome.Cancelled(Outcome.Phase.STREAMING));
        assertThat(gone.await(5, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void cancelsWhileTheRequestIsStillComing() throws Exception {
        start("", true);
        Http2FrameStream stream = client.send(Http2Client.head("POST", "/v1/completions"), false);
        client.data(stream, "{\"model\":", false);
        await().until(() -> rig.calls() == 1);
        client.reset(stream);
        assertThat(rig.outcome()).isEqualTo(new Outcome.Cancelled(Outcome.Phase.READING));
    }

    @Test
    void cancelsAllWithTheConnection() throws Exception {
        origin.on(this::untilGone, this::untilGone);
        start("", true);
        client.post(CALL);
        client.post(CALL);
        await().until(() -> origin.calls().size() == 2);
        client.close();
        rig.settled(2);
    }

    private void untilGone(Origin.Conversation call) throws IOException {
        call.body();
        call.awaitClose();
        gone.countDown();
    }

    @Test
    void breaksAStreamOffSoThatNobodyTakesItForComplete() throws Exception {
        origin.on(
                call -> {
                    call.body();
                    call.send(STREAM + EVENT);
                    call.close();
                });
        start("", true);
        client.post(CALL);
        assertThat(client.body())
                .startsWith("data: x\n\ndata: {\"error\"")
                .endsWith(" RST" + Http2Error.INTERNAL_ERROR.code());
        rig.settled(1);
    }

    @Test
    void stopsReadingFromTheEngineForASlowReader() throws Exception {
        var sent = new AtomicLong();
        byte[] chunk =
                ("4000\r\n" + "y".repeat(0x4000) + "\r\n").getBytes(StandardCharsets.US_ASCII);
        origin.on(
                call -> {
                    call.body();
                    call.send(STREAM);
                    for (int i = 0; i < 4000; i++) {
                        call.send(chunk);
                        sent.addAndGet(chunk.length);
                    }
                });
        start("timeouts: {client_stall: 1s}", false);
        client.post(CALL);
        // The client never gives its window back: the call is over, long before all was sent.
        assertThat(client.hear("RST").text()).isEqualTo("" + Http2Error.CANCEL.code());
        assertThat(sent.get()).isLessThan(48L << 20);
        assertThat(rig.outcome()).isEqualTo(new Outcome.Cancelled(Outcome.Phase.STREAMING));
    }

    @Test
    void turnsAFloodOfPingsAway() throws Exception {
        start("", true);
        for (int i = 0; i < 1000; i++) {
            client.ping();
        }
        assertThat(client.hear("GOAWAY").text())
                .startsWith("" + Http2Error.ENHANCE_YOUR_CALM.code());
        assertThat(client.hear("CLOSED").kind()).isEqualTo("CLOSED");
    }

    @Test
    void turnsRapidResetAway() throws Exception {
        start("", true);
        for (int i = 0; i < 50; i++) {
            client.reset(client.post(CALL));
        }
        assertThat(client.hear("GOAWAY").text())
                .startsWith("" + Http2Error.ENHANCE_YOUR_CALM.code());
        assertThat(client.hear("CLOSED").kind()).isEqualTo("CLOSED");
        await().until(() -> rig.calls() == 0 && rig.inFlight() == 0);
    }

    /// CVE-2025-8671: the client breaks each of its streams, so that the proxy resets them.
    @Test
    void turnsAwayWhoMakesTheProxyReset() throws Exception {
        assertThat(flood(20, i -> concat(frame(1, 0x4, i, head()), frame(8, 0, i, new byte[4]))))
                .contains("more resets, faults");
        await().until(() -> rig.calls() == 0 && rig.inFlight() == 0);
    }

    @Test
    void turnsRapidResetWithoutABodyAway() throws Exception {
        assertThat(flood(50, i -> concat(frame(1, 0x4, i, head()), frame(3, 0, i, new byte[4]))))
                .contains("more resets, faults");
        await().until(() -> rig.calls() == 0 && rig.inFlight() == 0);
    }

    @Test
    void turnsAwayWhoSendsRequestsThatAreRefused() throws Exception {
        byte[] upwards = {(byte) 0x83, (byte) 0x86, 0x04, 4, '/', '.', '.', '/', 0x01, 1, 'a'};
        assertThat(flood(199, i -> frame(1, 0x5, i, upwards))).contains("more resets, faults");
    }

    @Test
    void turnsAFloodOfWindowUpdatesAway() throws Exception {
        byte[] one = {0, 0, 0, 1};
        assertThat(flood(991, i -> frame(8, 0, 0, one))).contains("control frames than answers");
    }

    @Test
    void turnsAFloodOfSettingsAway() throws Exception {
        assertThat(flood(100, i -> frame(4, 0, 0, new byte[0])))
                .contains("control frames than answers");
    }

    /// The rest of a body was on its way when its stream was reset: no fault of its client's, and
    /// no reason to end the other streams of the connection.
    @Test
    void keepsAConnectionOnWhichABodyOutlivesItsStream() throws Exception {
        start("", true);
        var all = new ByteArrayOutputStream();
        all.writeBytes(frame(4, 0, 0, new byte[0]));
        all.writeBytes(concat(frame(1, 0x4, 1, head()), frame(8, 0, 1, new byte[4])));
        for (int i = 0; i < 100; i++) {
            all.writeBytes(frame(0, 0, 1, new byte[100]));
        }
        all.writeBytes(frame(6, 0, 0, "answered".getBytes(StandardCharsets.US_ASCII)));
        try (var raw =
                new RawClient(rig.port())
                        .send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                        .send(all.toByteArray())) {
            assertThat(raw.readUntil("answered")).doesNotContain("faults");
        }
    }

    /// The clients of a gateway share one connection: some of them leave.
    @Test
    void keepsAConnectionWithResetsAmongAnswers() throws Exception {
        start("", true);
        for (int i = 0; i < 250; i++) {
            client.post("{\"model\":\"m\"}");
            assertThat(client.hear("HEADERS").text()).isEqualTo("200");
            client.hear("DATA");
            Http2Headers head = Http2Client.head("POST", "/v1/chat/completions");
            client.reset(client.send(head.add("content-type", "application/json"), false));
        }
    }

    /// The first SETTINGS costs its points too. The last frame is the one too many: bytes behind a
    /// close would make it a reset.
    ///
    /// @param frames for the client's streams 1, 3, 5...
    /// @return what comes back
    private String flood(int count, IntFunction<byte[]> frames) throws Exception {
        start("", true);
        var all = new ByteArrayOutputStream();
        for (int i = 0; i < count; i++) {
            all.writeBytes(frames.apply(2 * i + 1));
        }
        try (var raw =
                new RawClient(rig.port())
                        .send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                        .send(concat(frame(4, 0, 0, new byte[0]), all.toByteArray()))) {
            return raw.readAll();
        }
    }

    private static byte[] concat(byte[] a, byte[] b) {
        return ByteBuffer.allocate(a.length + b.length).put(a).put(b).array();
    }

    /// A POST by entries of HPACK's static table and literals.
    private static byte[] head() {
        var out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {(byte) 0x83, (byte) 0x86, 0x04, 20});
        out.writeBytes("/v1/chat/completions".getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(new byte[] {0x01, 1, 'a'});
        return out.toByteArray();
    }

    private static byte[] frame(int type, int flags, int stream, byte[] payload) {
        return ByteBuffer.allocate(9 + payload.length)
                .putInt(payload.length << 8 | type)
                .put((byte) flags)
                .putInt(stream)
                .put(payload)
                .array();
    }

    @Test
    void finishesARunningStreamWhileItStops() throws Exception {
        origin.on(
                call -> {
                    call.body();
                    call.send(STREAM + EVENT);
                    awaitGo();
                    call.send(DONE);
                });
        start("", true);
        client.post(CALL);
        client.hear("DATA");
        var cut = CompletableFuture.supplyAsync(this::stop);
        Heard first = client.hear("GOAWAY");
        assertThat(first.stream()).isEqualTo(Integer.MAX_VALUE);
        assertThat(client.hear("GOAWAY").stream()).isEqualTo(3);
        go.countDown();
        assertThat(client.body()).isEqualTo("data: [DONE]\n\n");
        assertThat(client.hear("CLOSED").kind()).isEqualTo("CLOSED");
        assertThat(cut.get(10, TimeUnit.SECONDS)).isZero();
        assertThat(rig.outcome()).isEqualTo(new Outcome.Completed(200));
    }

    private int stop() {
        try {
            return rig.stop();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void awaitGo() {
        try {
            go.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
