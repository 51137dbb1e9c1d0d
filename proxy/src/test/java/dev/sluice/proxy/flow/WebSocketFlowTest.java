package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.proxy.accounting.CallRecord;
import dev.sluice.proxy.flow.RawClient.Response;
import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.response.Outcome;
import dev.sluice.proxy.response.Outcome.Phase;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/// WebSocket calls: frames pass untouched, and whoever ends it, everybody learns why.
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class WebSocketFlowTest {
    private static final String TARGET = "/v1/realtime?model=m";

    private final Origin origin = new Origin();
    private final Origin other = new Origin();
    private Rig rig;

    WebSocketFlowTest() throws IOException {}

    @AfterEach
    void close() throws Exception {
        rig.close();
        origin.close();
        other.close();
    }

    /// Sends each text back until the close frame comes, and that one too.
    private static final Origin.Script ECHO =
            call -> {
                call.upgrade();
                while (true) {
                    String frame = call.frame();
                    if (frame.startsWith("close ")) {
                        call.send(Frames.close(false, Integer.parseInt(frame.substring(6))));
                        call.close();
                        return;
                    }
                    call.send(Frames.text(false, frame));
                }
            };

    private RawClient open(String... fields) throws IOException {
        RawClient client = rig.client().upgrade(TARGET, fields);
        assertThat(client.readHead()).startsWith("HTTP/1.1 101 Switching Protocols\r\n");
        return client;
    }

    private CallRecord record() {
        return rig.settled(1).getFirst();
    }

    @Test
    void relaysFramesBothWaysAndTheCloseHandshake() throws Exception {
        rig = Rig.of("", origin);
        origin.on(ECHO);
        RawClient client = open();
        assertThat(rig.inFlight()).isEqualTo(1);
        for (String text : new String[] {"a", "b".repeat(125), "c".repeat(60_000), ""}) {
            client.send(Frames.text(true, text));
            assertThat(client.frame()).isEqualTo(text);
        }
        client.send(Frames.close(true, 1000));
        assertThat(client.frame()).isEqualTo("close 1000");
        client.assertClosed();
        CallRecord record = record();
        assertThat(record.outcome()).isEqualTo(new Outcome.Completed(101));
        assertThat(record.status()).isEqualTo(101);
        assertThat(record.request().model()).isEqualTo("m");
        assertThat(record.bytesIn()).isGreaterThan(60_000);
        assertThat(record.bytesOut()).isGreaterThan(60_000);
        assertThat(record.attempts().getFirst().result()).isEqualTo(AttemptResult.OK);
    }

    @Test
    void relaysBytesHoweverTheyAreCut() throws Exception {
        rig = Rig.of("", origin);
        origin.on(ECHO);
        RawClient client = open();
        for (byte b : Frames.text(true, "x".repeat(130))) {
            client.send(new byte[] {b});
        }
        assertThat(client.frame()).isEqualTo("x".repeat(130));
        for (byte b : Frames.close(true, 4000)) {
            client.send(new byte[] {b});
        }
        assertThat(client.frame()).isEqualTo("close 4000");
        client.assertClosed();
        record();
    }

    @Test
    void forwardsTheHandshakeAndNothingThatIsNotForTheEngine() throws Exception {
        rig = Rig.of("", origin);
        origin.on(
                call -> {
                    call.upgrade(
                            "Sec-WebSocket-Protocol: realtime\r\n",
                            "Sec-WebSocket-Extensions: permessage-deflate\r\n",
                            "x-sluice-endpoint: forged\r\n");
                    assertThat(call.frame()).isNotNull();
                    call.send(Frames.close(false, 1000));
                    call.awaitClose();
                });
        RawClient client =
                rig.client()
                        .upgrade(
                                TARGET,
                                "Sec-WebSocket-Protocol: realtime\r\n",
                                "Sec-WebSocket-Extensions: permessage-deflate\r\n",
                                "Authorization: Bearer secret\r\n",
                                "x-sluice-model: forged\r\n");
        String answer = client.readHead();
        assertThat(answer)
                .contains("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
                .contains("\r\nSec-WebSocket-Accept: x\r\n")
                .contains("\r\nSec-WebSocket-Protocol: realtime\r\n")
                .contains("\r\nSec-WebSocket-Extensions: permessage-deflate\r\n")
                .contains("\r\nx-sluice-endpoint: " + origin.url() + "\r\n")
                .contains("\r\nx-request-id: ")
                .doesNotContain("forged");
        String asked = origin.calls().getFirst().head;
        assertThat(asked)
                .startsWith("GET " + TARGET + " HTTP/1.1\r\n")
                .contains("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
                .contains("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
                .contains("\r\nSec-WebSocket-Version: 13\r\n")
                .contains("\r\nSec-WebSocket-Protocol: realtime\r\n")
                .contains("\r\nSec-WebSocket-Extensions: permessage-deflate\r\n")
                .doesNotContain("secret")
                .doesNotContain("forged");
        byte[] compressed = Frames.text(true, "z");
        compressed[0] |= 0x40;
        client.send(compressed);
        assertThat(client.frame()).isEqualTo("close 1000");
        client.close();
        assertThat(record().outcome()).isEqualTo(new Outcome.Completed(101));
    }

    @Test
    void asksTheEngineForTheModelBehindAnAlias() throws Exception {
        rig = Rig.of("aliases: {gpt-realtime: m}", origin);
        origin.on(ECHO);
        RawClient client = rig.client().upgrade("/v1/realtime?a=1&model=gpt-realtime&b=2");
        assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
        assertThat(origin.calls().getFirst().head)
                .startsWith("GET /v1/realtime?a=1&model=m&b=2 HTTP/1.1\r\n");
        client.close();
        assertThat(record().outcome()).isEqualTo(new Outcome.Cancelled(Phase.STREAMING));
    }

    @Test
    void goesToTheOnlyPoolWithoutAModel() throws Exception {
        rig = Rig.of("", origin);
        origin.on(ECHO);
        assertThat(rig.client().upgrade("/v1/realtime").readHead()).startsWith("HTTP/1.1 101 ");
    }

    @Test
    void refusesBadHandshakes() throws Exception {
        rig = Rig.of("", origin);
        String get = "GET /v1/realtime HTTP/1.1\r\nHost: a\r\n";
        String upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
        String version = "Sec-WebSocket-Version: 13\r\n";
        String key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        refused(400, get + "Upgrade: websocket\r\n" + version + key);
        refused(400, get + "Upgrade: websocket, x\r\nConnection: Upgrade\r\n" + version + key);
        refused(400, get + upgrade + version);
        refused(400, get + upgrade + version + "Sec-WebSocket-Key: short\r\n");
        refused(426, get + upgrade + key);
        refused(426, get + upgrade + key + "Sec-WebSocket-Version: 8\r\n");
        refused(400, get.replace("HTTP/1.1", "HTTP/1.0") + upgrade + version + key);
        refused(400, get.replace("GET", "POST") + upgrade + version + key);
        refused(404, get.replace("/v1/", "/x/") + upgrade + version + key);
        assertThat(origin.calls()).isEmpty();
    }

    private void refused(int status, String head) throws IOException {
        RawClient client = rig.client().send(head + "\r\n");
        Response response = client.read();
        assertThat(response.status()).as(head).isEqualTo(status);
        assertThat(response.body()).contains("\"error\":{\"message\":");
        assertThat(response.header("connection")).isEqualTo("close");
        assertThat(response.header("sec-websocket-version")).isEqualTo(status == 426 ? "13" : null);
        client.close();
    }

    @Test
    void asksForAKeyBeforeAnythingElse() throws Exception {
        rig =
                Rig.of(
                        "keys: [{name: t, sha256:"
                            + " 2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b}]",
                        origin);
        origin.on(ECHO);
        Response response = rig.client().upgrade(TARGET).read();
        assertThat(response.status()).isEqualTo(401);
        assertThat(open("Authorization: Bearer secret\r\n")).isNotNull();
    }

    @Test
    void refusesBytesBeforeTheAnswer() throws Exception {
        rig = Rig.of("", origin);
        origin.on(Origin.Conversation::awaitClose);
        RawClient client = rig.client();
        client.upgrade(TARGET).send("GET /hidden HTTP/1.1\r\n\r\n");
        assertThat(client.read().status()).isEqualTo(400);
        client.assertClosed();
    }

    @Test
    void relaysAnAnswerThatIsNo101() throws Exception {
        rig = Rig.of("", origin);
        origin.on("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
        RawClient client = rig.client().upgrade(TARGET);
        Response response = client.read();
        assertThat(response.status()).isEqualTo(403);
        assertThat(response.body()).isEqualTo("no");
        assertThat(response.header("connection")).isEqualTo("close");
        client.assertClosed();
        assertThat(record().outcome()).isEqualTo(new Outcome.Completed(403));
    }

    @Test
    void refusesA101ToSomethingElse() throws Exception {
        rig = Rig.of("", origin);
        origin.on("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n");
        assertThat(rig.client().upgrade(TARGET).read().status()).isEqualTo(502);
    }

    @Test
    void connectsElsewhereWhenAnEndpointIsGone() throws Exception {
        rig = Rig.of("", origin, other);
        origin.stopListening();
        other.on(ECHO);
        for (int i = 0; i < 2; i++) {
            RawClient client = open();
            client.send(Frames.text(true, "x"));
            assertThat(client.frame()).isEqualTo("x");
            client.close();
        }
        assertThat(rig.settled(2)).anyMatch(record -> record.attempts().size() == 2);
    }

    @Test
    void closesTheEngineAtOnceWhenTheClientIsGone() throws Exception {
        rig = Rig.of("", origin);
        var last = new CompletableFuture<String>();
        var closed = new AtomicLong();
        origin.on(
                call -> {
                    call.upgrade();
                    last.complete(call.frame());
                    call.awaitClose();
                    closed.set(System.nanoTime());
                });
        RawClient client = open();
        long left = System.nanoTime();
        client.reset();
        assertThat(last.get(5, TimeUnit.SECONDS)).isEqualTo("close 1001");
        await().until(() -> closed.get() != 0);
        assertThat(Duration.ofNanos(closed.get() - left)).isLessThan(Duration.ofMillis(200));
        CallRecord record = record();
        assertThat(record.outcome()).isEqualTo(new Outcome.Cancelled(Phase.STREAMING));
        assertThat(record.attempts().getFirst().result()).isEqualTo(AttemptResult.CLIENT_GONE);
    }

    @Test
    void tellsTheClientWhenTheEngineDies() throws Exception {
        rig = Rig.of("", origin);
        origin.on(
                call -> {
                    call.upgrade();
                    call.send(Frames.text(false, "x"));
                    call.close();
                });
        RawClient client = open();
        assertThat(client.frame()).isEqualTo("x");
        assertThat(client.frame()).isEqualTo("close 1011");
        client.assertClosed();
        assertThat(record().outcome()).isEqualTo(new Outcome.Broken(AttemptResult.TRUNCATED));
    }

    @Test
    void addsNothingToAFrameThatTheEngineLeftUnfinished() throws Exception {
        rig = Rig.of("", origin);
        origin.on(
                call -> {
                    call.upgrade();
                    call.send(new byte[] {(byte) 0x81, 5, 'h', 'a'});
                    call.close();
                });
        RawClient client = open();
        assertThat(client.read(4)).hasSize(4);
        client.assertClosed();
        assertThat(record().outcome()).isEqualTo(new Outcome.Broken(AttemptResult.TRUNCATED));
    }

    @Test
    void countsAnEngineThatClosesWith1011AsFailed() throws Exception {
        rig = Rig.of("", origin);
        origin.on(
                call -> {
                    call.upgrade();
                    call.send(Frames.close(false, 1011));
                    assertThat(call.frame()).isEqualTo("close 1011");
                    call.close();
                });
        RawClient client = open();
        assertThat(client.frame()).isEqualTo("close 1011");
        client.send(Frames.close(true, 1011));
        client.assertClosed();
        CallRecord record = record();
        assertThat(record.outcome()).isEqualTo(new Outcome.Completed(101));
        assertThat(record.attempts().getFirst().result()).isEqualTo(AttemptResult.SERVER_ERROR);
    }

    @Test
    void closesBothSidesWhenTheClientBreaksTheProtocol() throws Exception {
        rig = Rig.of("", origin);
        origin.on(ECHO);
        RawClient client = open();
        client.send(Frames.text(true, "before"));
        client.send(Frames.text(false, "not masked"));
        assertThat(client.frame()).isEqualTo("before");
        assertThat(client.frame()).isEqualTo("close 1002");
        client.assertClosed();
        assertThat(record().attempts().getFirst().result()).isEqualTo(AttemptResult.CLIENT_ERROR);
    }

    @Test
    void closesBothSidesWhenTheEngineBreaksTheProtocol() throws Exception {
        rig = Rig.of("", origin);
        var last = new CompletableFuture<String>();
        origin.on(
                call -> {
                    call.upgrade();
                    call.send(Frames.text(true, "masked"));
                    last.complete(call.frame());
                    call.awaitClose();
                });
        assertThat(open().frame()).isEqualTo("close 1011");
        assertThat(last.get(5, TimeUnit.SECONDS)).isEqualTo("close 1002");
        assertThat(record().outcome()).isEqualTo(new Outcome.Broken(AttemptResult.PROTOCOL_ERROR));
    }

    @Test
    void boundsMessages() throws Exception {
        rig = Rig.of("limits: {websocket_message: 100B}", origin);
        origin.on(ECHO);
        RawClient client = open();
        client.send(Frames.text(true, "x".repeat(100)));
        assertThat(client.frame()).hasSize(100);
        client.send(Frames.text(true, "x".repeat(101)));
        assertThat(client.frame()).isEqualTo("close 1009");
        client.assertClosed();
        record();
    }

    @Test
    void closesSilentConnections() throws Exception {
        rig = Rig.of("timeouts: {websocket_idle: 200ms}", origin);
        origin.on(ECHO);
        RawClient client = open();
        assertThat(client.frame()).isEqualTo("close 1001");
        client.close();
        assertThat(record().reason()).isEqualTo("idle_timeout");
    }

    @Test
    void boundsTheWholeConnection() throws Exception {
        rig = Rig.of("timeouts: {websocket_total: 200ms}", origin);
        origin.on(
                call -> {
                    call.upgrade();
                    call.awaitClose();
                });
        RawClient client = open();
        assertThat(client.frame()).isEqualTo("close 1001");
        client.close();
        assertThat(record().reason()).isEqualTo("total_timeout");
    }

    @Test
    void closesBothSidesWith1001WhenItStops() throws Exception {
        rig = Rig.of("", origin);
        var last = new CompletableFuture<String>();
        origin.on(
                call -> {
                    call.upgrade();
                    last.complete(call.frame());
                    call.awaitClose();
                });
        RawClient client = open();
        var stopped = new AtomicReference<Integer>();
        Thread stopping =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    try {
                                        stopped.set(rig.stop());
                                    } catch (InterruptedException e) {
                                        throw new IllegalStateException(e);
                                    }
                                });
        assertThat(client.frame()).isEqualTo("close 1001");
        client.close();
        assertThat(last.get(5, TimeUnit.SECONDS)).isEqualTo("close 1001");
        stopping.join();
        assertThat(stopped.get()).isZero();
        assertThat(record().reason()).isEqualTo("shutting_down");
    }

    @Test
    void readsTheEngineOnlyAsFastAsTheClient() throws Exception {
        rig = Rig.of("", origin);
        byte[] frame = Frames.frame(false, 2, new byte[60_000]);
        int count = 2000;
        var sent = new AtomicLong();
        origin.on(
                call -> {
                    call.upgrade();
                    for (int i = 0; i < count; i++) {
                        call.send(frame);
                        sent.addAndGet(frame.length);
                    }
                    call.send(Frames.close(false, 1000));
                    call.awaitClose();
                });
        RawClient client = rig.client(16 * 1024).upgrade(TARGET);
        client.readHead();
        await().pollInterval(Duration.ofMillis(50))
                .until(
                        new java.util.concurrent.Callable<Boolean>() {
                            private long before = -1;

                            @Override
                            public Boolean call() {
                                long now = sent.get();
                                boolean still = now == before;
                                before = now;
                                return still;
                            }
                        });
        assertThat(sent.get()).isLessThan((long) count * frame.length / 2);
        for (int i = 0; i < count; i++) {
            assertThat(client.frame()).hasSize(60_000);
        }
        assertThat(client.frame()).isEqualTo("close 1000");
        client.send(Frames.close(true, 1000));
        client.close();
        assertThat(Arrays.asList(record().outcome())).containsExactly(new Outcome.Completed(101));
    }
}
