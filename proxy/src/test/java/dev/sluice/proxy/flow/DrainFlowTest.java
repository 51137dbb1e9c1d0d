package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.proxy.flow.RawClient.Response;
import dev.sluice.proxy.response.Outcome;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Stopping finishes what runs and takes nothing new.
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class DrainFlowTest {
    private static final String CALL = "{\"model\":\"m\",\"stream\":true}";
    private static final String STREAM =
            "HTTP/1.1 200 OK\r\n"
                    + "Content-Type: text/event-stream\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n";

    private final Origin origin = new Origin();
    private final CountDownLatch go = new CountDownLatch(1);
    private Rig rig;

    DrainFlowTest() throws IOException {}

    @AfterEach
    void close() throws Exception {
        go.countDown();
        rig.close();
        origin.close();
    }

    @Test
    void finishesARunningStreamAndAcceptsNothingNew() throws Exception {
        rig = Rig.of("", origin);
        origin.on(
                call -> {
                    call.body();
                    call.send(STREAM + "9\r\ndata: x\n\n\r\n");
                    awaitGo();
                    call.send("e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
                });
        RawClient idle = rig.client();
        RawClient client = rig.client().post(CALL);
        client.readHead();
        var cut = stop();

        idle.assertClosed();
        await().untilAsserted(
                        () ->
                                assertThatThrownBy(() -> new RawClient(rig.port()))
                                        .isInstanceOf(ConnectException.class));
        assertThat(cut).isNotDone();
        go.countDown();
        assertThat(client.readUntil("0\r\n\r\n")).contains("[DONE]");
        client.assertClosed();
        assertThat(cut.get(10, TimeUnit.SECONDS)).isZero();
        assertThat(rig.outcome()).isEqualTo(new Outcome.Completed(200));
    }

    @Test
    void answersWithCloseWhileItStops() throws Exception {
        rig = Rig.of("server: {stop_after: 2s}", origin);
        RawClient before = rig.client().post(CALL);
        assertThat(before.read().header("connection")).isNull();
        var cut = stop();
        Response response = before.post(CALL).read();
        for (int i = 0; i < 10_000 && response.header("connection") == null; i++) {
            response = before.post(CALL).read();
        }
        assertThat(response.header("connection")).isEqualTo("close");
        before.assertClosed();
        RawClient later = rig.client().post(CALL);
        assertThat(later.read().header("connection")).isEqualTo("close");
        later.assertClosed();
        assertThat(cut.get(10, TimeUnit.SECONDS)).isZero();
    }

    /// Its client has begun a call, and is only slow to say so.
    @Test
    void servesTheFirstCallOfAConnectionThatWasJustOpened() throws Exception {
        rig = Rig.of("", origin);
        RawClient opened = rig.client();
        await().until(() -> rig.connections() == 1);
        var cut = stop();
        await().pollDelay(Duration.ofMillis(500)).until(() -> true);
        Response response = opened.post(CALL).read();
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.header("connection")).isEqualTo("close");
        assertThat(cut.get(10, TimeUnit.SECONDS)).isZero();
    }

    @Test
    void cutsWhatOutlastsTheDrainWithAnError() throws Exception {
        rig = Rig.of("drain_timeout: 300ms", origin);
        origin.on(
                call -> {
                    call.body();
                    call.send(STREAM + "9\r\ndata: x\n\n\r\n");
                    call.awaitClose();
                });
        RawClient client = rig.client().post(CALL);
        client.readHead();
        var cut = stop();
        Response rest = new Response(200, "", client.readUntil("}}\n\n\r\n"), "", false);
        assertThat(rest.body()).contains("data: {\"error\":").contains("shutting_down");
        client.assertClosed();
        assertThat(cut.get(10, TimeUnit.SECONDS)).isEqualTo(1);
        assertThat(rig.outcome()).isInstanceOf(Outcome.Broken.class);
    }

    /// The engine is done; what it sent still has to reach a slow client.
    @Test
    void sendsTheLastBytesToASlowClient() throws Exception {
        rig = Rig.of("", origin);
        origin.on("HTTP/1.1 200 OK\r\nContent-Length: 16384\r\n\r\n" + "x".repeat(16 * 1024));
        RawClient client = rig.client(16 * 1024);
        client.send("GET /v1/files HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000));
        var seen = new AtomicInteger(-1);
        await().pollInterval(Duration.ofMillis(300))
                .until(
                        () -> {
                            int now = origin.calls().size();
                            return seen.getAndSet(now) == now && now > 0;
                        });
        var cut = stop();
        Response response;
        int answers = 0;
        do {
            response = client.read();
            assertThat(response.body()).hasSize(16 * 1024);
            answers++;
        } while (response.header("connection") == null);
        client.assertClosed();
        assertThat(cut.get(10, TimeUnit.SECONDS)).isZero();
        rig.settled(answers);
    }

    private CompletableFuture<Integer> stop() {
        var cut = new CompletableFuture<Integer>();
        Thread.ofVirtual()
                .start(
                        () -> {
                            try {
                                cut.complete(rig.stop());
                            } catch (InterruptedException e) {
                                cut.completeExceptionally(e);
                            }
                        });
        return cut;
    }

    private void awaitGo() throws IOException {
        try {
            go.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
