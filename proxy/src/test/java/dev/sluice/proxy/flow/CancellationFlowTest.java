package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.proxy.flow.Origin.Script;
import dev.sluice.proxy.response.Outcome;
import dev.sluice.proxy.response.Outcome.Phase;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// A client that leaves, in every phase and in every way: the engine hears of it at once.
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class CancellationFlowTest {
    private static final String CALL = "{\"model\":\"m\",\"stream\":true}";
    private static final String STREAM =
            "HTTP/1.1 200 OK\r\n"
                    + "Content-Type: text/event-stream\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n";

    /// The bar is 100 ms at p99; a test machine that does much else at once needs some air.
    private static final Duration AT_ONCE = Duration.ofSeconds(1);

    private final Origin origin = new Origin();
    private final CompletableFuture<Long> closedAt = new CompletableFuture<>();
    private Rig rig;

    CancellationFlowTest() throws IOException {}

    @AfterEach
    void close() throws Exception {
        rig.close();
        origin.close();
    }

    /// How a client leaves.
    enum Leaving {
        FIN {
            @Override
            void leave(RawClient client) throws IOException {
                client.close();
            }
        },
        HALF_CLOSE {
            @Override
            void leave(RawClient client) throws IOException {
                client.shutdownOutput();
            }
        },
        RESET {
            @Override
            void leave(RawClient client) throws IOException {
                client.reset();
            }
        };

        abstract void leave(RawClient client) throws IOException;
    }

    @ParameterizedTest
    @EnumSource(Leaving.class)
    void whileItsBodyIsRead(Leaving how) throws IOException {
        rig = Rig.of("", origin);
        RawClient client = rig.client();
        client.send(RawClient.request(CALL).replace("}", ""));
        await().until(() -> rig.connections() == 1);
        how.leave(client);
        assertThat(rig.outcome()).isEqualTo(new Outcome.Cancelled(Phase.READING));
        assertThat(origin.calls()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Leaving.class)
    void whileItWaitsForTheFirstByte(Leaving how) throws Exception {
        leaveWith(how, "", Phase.WAITING);
    }

    @ParameterizedTest
    @EnumSource(Leaving.class)
    void behindAHeadWithoutBody(Leaving how) throws Exception {
        leaveWith(how, STREAM, Phase.WAITING);
    }

    @ParameterizedTest
    @EnumSource(Leaving.class)
    void whileItStreams(Leaving how) throws Exception {
        leaveWith(how, STREAM + "8\r\ndata: x\n\r\n", Phase.STREAMING);
    }

    @ParameterizedTest
    @EnumSource(Leaving.class)
    void insideABodyOfDeclaredLength(Leaving how) throws Exception {
        leaveWith(how, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx", Phase.STREAMING);
    }

    private void leaveWith(Leaving how, String sends, Phase phase) throws Exception {
        rig = Rig.of("", origin);
        origin.on(awaitingClose(sends));
        RawClient client = rig.client().post(CALL);
        if (phase == Phase.STREAMING) {
            client.readHead();
            client.read(1);
        } else {
            await().until(() -> origin.calls().size() == 1);
        }
        long left = System.nanoTime();
        how.leave(client);
        assertThat(Duration.ofNanos(closedAt.get(10, TimeUnit.SECONDS) - left)).isLessThan(AT_ONCE);
        assertThat(rig.outcome()).isEqualTo(new Outcome.Cancelled(phase));
    }

    @ParameterizedTest
    @EnumSource(Leaving.class)
    void whileItTakesNoBytes(Leaving how) throws Exception {
        rig = Rig.of("", origin);
        origin.on(
                call -> {
                    call.send(STREAM);
                    byte[] chunk =
                            ("4000\r\n" + "x".repeat(0x4000) + "\r\n")
                                    .getBytes(StandardCharsets.US_ASCII);
                    try {
                        while (true) {
                            call.send(chunk);
                        }
                    } catch (IOException e) {
                        closedAt.complete(System.nanoTime());
                    }
                });
        RawClient client = rig.client(8 * 1024).post(CALL);
        client.readHead();
        long left = System.nanoTime();
        how.leave(client);
        if (how == Leaving.HALF_CLOSE) {
            client.close();
        }
        assertThat(Duration.ofNanos(closedAt.get(10, TimeUnit.SECONDS) - left)).isLessThan(AT_ONCE);
        assertThat(rig.outcome()).isEqualTo(new Outcome.Cancelled(Phase.STREAMING));
    }

    @Test
    void whileItSendsALongBody() throws Exception {
        rig = Rig.of("limits: {replay: 1KiB}", origin);
        origin.on(
                call -> {
                    assertThat(call.header("content-length")).isEqualTo("100000");
                    try {
                        call.body();
                    } catch (IOException e) {
                        // reset
                    }
                    closedAt.complete(System.nanoTime());
                    call.close();
                });
        RawClient client = rig.client();
        client.send(
                "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
                        + "{\"model\":\"m\",\"prompt\":\""
                        + "x".repeat(4_000));
        await().until(() -> origin.calls().size() == 1);
        long left = System.nanoTime();
        client.close();
        assertThat(Duration.ofNanos(closedAt.get(10, TimeUnit.SECONDS) - left)).isLessThan(AT_ONCE);
        assertThat(rig.outcome()).isEqualTo(new Outcome.Cancelled(Phase.WAITING));
    }

    @ParameterizedTest
    @EnumSource(Leaving.class)
    void withAPipelinedRequestBehindIt(Leaving how) throws Exception {
        rig = Rig.of("", origin);
        origin.on(awaitingClose(""));
        RawClient client = rig.client().send(RawClient.request(CALL).repeat(2));
        await().until(() -> origin.calls().size() == 1);
        how.leave(client);
        closedAt.get(10, TimeUnit.SECONDS);
        assertThat(rig.outcome()).isEqualTo(new Outcome.Cancelled(Phase.WAITING));
        assertThat(origin.calls()).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(Leaving.class)
    void whileItIsQueued(Leaving how) throws Exception {
        rig = Rig.pool("", "cap: 1", origin);
        origin.on(awaitingClose(STREAM + "8\r\ndata: x\n\r\n"));
        RawClient first = rig.client().post(CALL);
        first.readHead();
        RawClient second = rig.client().post(CALL);
        await().until(() -> rig.queued() == 1);
        how.leave(second);
        await().until(() -> rig.calls() == 1);
        assertThat(rig.queued()).isZero();
        assertThat(rig.inFlight()).isEqualTo(1);
        assertThat(origin.calls()).hasSize(1);
        first.close();
        assertThat(rig.settled(2).getFirst().outcome())
                .isEqualTo(new Outcome.Cancelled(Phase.QUEUED));
    }

    private Script awaitingClose(String sends) {
        return call -> {
            call.body();
            call.send(sends);
            call.awaitClose();
            closedAt.complete(System.nanoTime());
        };
    }
}
