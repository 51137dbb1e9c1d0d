package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.proxy.response.Outcome;
import dev.sluice.proxy.response.Outcome.Phase;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/// Reading less is the only brake: what one side does not take, the other cannot send.
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class BackPressureFlowTest {
    private static final long WHOLE = 50L << 20;

    /// Socket buffers of the system and of the proxy on the way; far below the whole.
    private static final long ON_THE_WAY = 20L << 20;

    private final Origin origin = new Origin();
    private final AtomicLong moved = new AtomicLong();
    private Rig rig;

    BackPressureFlowTest() throws IOException {}

    @AfterEach
    void close() throws Exception {
        rig.close();
        origin.close();
    }

    @Test
    void blocksTheEngineWhileTheClientTakesNothing() throws Exception {
        rig = Rig.of("", origin);
        origin.on(
                call -> {
                    call.body();
                    call.send("HTTP/1.1 200 OK\r\nContent-Length: " + WHOLE + "\r\n\r\n");
                    byte[] block = new byte[64 * 1024];
                    for (long sent = 0; sent < WHOLE; sent += block.length) {
                        call.send(block);
                        moved.addAndGet(block.length);
                    }
                });
        RawClient client = rig.client(16 * 1024).post("{\"model\":\"m\"}");
        client.readHead();

        awaitStandstill();

        assertThat(moved.get()).isLessThan(ON_THE_WAY);
        assertThat(rig.inFlight()).isEqualTo(1);
        for (long read = 0; read < WHOLE; ) {
            int n = (int) Math.min(1 << 20, WHOLE - read);
            assertThat(client.read(n)).hasSize(n);
            read += n;
        }
        assertThat(rig.outcome()).isEqualTo(new Outcome.Completed(200));
    }

    @Test
    void blocksTheClientWhileTheEngineTakesNothing() throws Exception {
        rig = Rig.of("limits: {body: 100MiB, replay: 64KiB}", origin);
        var go = new CountDownLatch(1);
        origin.on(
                call -> {
                    try {
                        go.await();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                    call.body();
                    call.send(Origin.OK);
                });
        RawClient client = rig.client();
        String start = "{\"model\":\"m\",\"p\":\"";
        Thread sender =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    try {
                                        client.send(
                                                "POST /v1/completions HTTP/1.1\r\n"
                                                        + "Host: a\r\n"
                                                        + "Content-Length: "
                                                        + (start.length() + WHOLE + 2)
                                                        + "\r\n\r\n"
                                                        + start);
                                        byte[] block =
                                                "x"
                                                        .repeat(64 * 1024)
                                                        .getBytes(StandardCharsets.US_ASCII);
                                        for (long sent = 0; sent < WHOLE; sent += block.length) {
                                            client.send(block);
                                            moved.addAndGet(block.length);
                                        }
                                        client.send("\"}");
                                    } catch (IOException e) {
                                        // the test fails at its answer
                                    }
                                });

        awaitStandstill();

        assertThat(moved.get()).isPositive().isLessThan(ON_THE_WAY);
        go.countDown();
        assertThat(client.read().status()).isEqualTo(200);
        sender.join();
        assertThat(rig.outcome()).isEqualTo(new Outcome.Completed(200));
    }

    @Test
    void doesNotTakeABlockedUploadForASlowOne() throws Exception {
        rig =
                Rig.of(
                        "limits: {body: 100MiB, replay: 64KiB}\n"
                                + "server: {head_timeout: 400ms, min_body_rate: 100MiB, stop_after:"
                                + " 0s}",
                        origin);
        var go = new CountDownLatch(1);
        origin.on(
                call -> {
                    try {
                        go.await();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                    call.awaitClose();
                });
        RawClient client = rig.client();
        String start = "{\"model\":\"m\",\"p\":\"";
        Thread sender =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    try {
                                        client.send(
                                                "POST /v1/completions HTTP/1.1\r\n"
                                                        + "Host: a\r\n"
                                                        + "Content-Length: "
                                                        + (80 << 20)
                                                        + "\r\n\r\n"
                                                        + start);
                                        while (moved.get() < WHOLE) {
                                            client.send("x".repeat(64 * 1024));
                                            moved.addAndGet(64 * 1024);
                                        }
                                    } catch (IOException e) {
                                        // the proxy gave the slow upload up
                                    }
                                });
        awaitStandstill();
        assertThat(rig.inFlight()).as("blocked for longer than head_timeout").isEqualTo(1);
        go.countDown();
        // Only once nothing more comes by the client's own doing is it too slow.
        assertThat(client.read().status()).isEqualTo(408);
        assertThat(moved.get()).isGreaterThanOrEqualTo(WHOLE);
        sender.join();
        rig.settled(1);
    }

    @Test
    void givesUpAClientThatTakesNothing() throws Exception {
        rig = Rig.of("timeouts: {client_stall: 300ms}", origin);
        origin.on(
                call -> {
                    call.body();
                    call.send("HTTP/1.1 200 OK\r\nContent-Length: " + WHOLE + "\r\n\r\n");
                    byte[] block = new byte[64 * 1024];
                    for (long sent = 0; sent < WHOLE; sent += block.length) {
                        call.send(block);
                    }
                });
        rig.client(16 * 1024).post("{\"model\":\"m\"}").readHead();
        assertThat(rig.outcome()).isEqualTo(new Outcome.Cancelled(Phase.STREAMING));
        await().until(() -> rig.connections() == 0);
    }

    @Test
    void startsNoCallWhoseAnswerNobodyWouldTake() throws Exception {
        rig = Rig.of("", origin);
        origin.on("HTTP/1.1 200 OK\r\nContent-Length: 16384\r\n\r\n" + "x".repeat(16 * 1024));
        int calls = 1_000;
        RawClient client = rig.client(16 * 1024);
        client.send("GET /v1/files HTTP/1.1\r\nHost: a\r\n\r\n".repeat(calls));

        await().pollInterval(Duration.ofMillis(300)).until(this::callsStandStill);

        assertThat(origin.calls()).hasSizeLessThan(calls - 100);
        for (int i = 0; i < calls; i++) {
            assertThat(client.read().body()).hasSize(16 * 1024);
        }
        rig.settled(calls);
    }

    private boolean callsStandStill() {
        int now = origin.calls().size();
        return now > 0 && moved.getAndSet(now) == now;
    }

    /// Its calls are over, their last bytes are not: the connection must not stay for ever.
    @Test
    void givesUpAClientThatLeavesTheEndUnread() throws Exception {
        rig =
                Rig.of(
                        "timeouts: {client_stall: 300ms}\n"
                                + "server: {keep_alive: 300ms, stop_after: 0s}",
                        origin);
        origin.on("HTTP/1.1 200 OK\r\nContent-Length: 16384\r\n\r\n" + "x".repeat(16 * 1024));
        RawClient client = rig.client(16 * 1024);
        client.send("GET /v1/files HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000));
        await().until(() -> !origin.calls().isEmpty() && rig.connections() == 0);
        rig.settled(origin.calls().size());
    }

    /// Waits until nothing has moved for half a second.
    private void awaitStandstill() {
        long[] last = {-1};
        await().pollInterval(Duration.ofMillis(500))
                .atMost(Duration.ofSeconds(20))
                .until(
                        () -> {
                            long now = moved.get();
                            boolean still = now > 0 && now == last[0];
                            last[0] = now;
                            return still;
                        });
    }
}
