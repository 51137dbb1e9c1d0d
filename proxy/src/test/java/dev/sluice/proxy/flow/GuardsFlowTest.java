package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.proxy.accounting.ClientMeters.Closed;
import dev.sluice.proxy.flow.RawClient.Response;
import dev.sluice.proxy.response.Outcome;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;

/// What protects the proxy from callers, and callers from each other.
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class GuardsFlowTest {
    private static final String CALL = "{\"model\":\"m\"}";
    private static final String HEAD =
            "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";

    /// Its digest is of "k".
    private static final String SHEDDABLE =
            "keys: [{name: a, priority: sheddable, sha256:"
                    + " 8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a}]";

    private final Origin origin = new Origin();
    private Rig rig;

    GuardsFlowTest() throws IOException {}

    @AfterEach
    void close() throws Exception {
        rig.close();
        origin.close();
    }

    @Test
    void shedsSheddableCallsWhenMemoryGetsShort() throws IOException {
        rig = Rig.of(SHEDDABLE, origin);
        String request = HEAD + "Authorization: Bearer k\r\nContent-Length: 13\r\n\r\n" + CALL;
        RawClient client = rig.client();
        assertThat(client.send(request).read().status()).isEqualTo(200);
        rig.memory(0.86, 0);
        Response refused = client.send(request).read();
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.header("retry-after")).isNotNull();
        assertThat(refused.body()).contains("\"code\":\"memory_pressure\"");
        rig.memory(0.5, 0);
        assertThat(rig.client().send(request).read().status()).isEqualTo(200);
        rig.settled(3);
    }

    @Test
    void endsConnectionsAndThenRefusesAllWhenMemoryIsAlmostGone() throws IOException {
        rig = Rig.of("", origin);
        RawClient client = rig.client().post(CALL);
        assertThat(client.read().header("connection")).isNull();
        rig.memory(0, 0.93);
        Response last = client.post(CALL).read();
        assertThat(last.status()).isEqualTo(200);
        assertThat(last.header("connection")).isEqualTo("close");
        client.assertClosed();
        rig.memory(0, 0.97);
        assertThat(rig.client().post(CALL).read().status()).isEqualTo(503);
        rig.settled(3);
    }

    @Test
    void boundsTheBytesOfAllBodiesTogether() throws IOException {
        rig = Rig.of("memory: {bodies: 256KiB}\nserver: {loops: 1, stop_after: 0s}", origin);
        RawClient holding = upload(180_000);
        await().until(() -> rig.heldBodies() > 100_000);
        Response refused = upload(200_000).read();
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.body()).contains("bodies_full").contains("memory.bodies");
        holding.close();
        await().until(() -> rig.heldBodies() < 64 * 1024);
        assertThat(rig.client().post(CALL).read().status()).isEqualTo(200);
        rig.settled(3);
    }

    /// Sends so much of a body that is longer.
    private RawClient upload(int bytes) throws IOException {
        return rig.client()
                .send(HEAD + "Content-Length: 400000\r\n\r\n{\"model\":\"m\",\"x\":\"")
                .send("x".repeat(bytes));
    }

    @Test
    void givesUpARequestThatNeverEnds() throws IOException {
        rig =
                Rig.of(
                        "timeouts: {request: 300ms}\n"
                                + "server: {head_timeout: 100ms, min_body_rate: 10B, stop_after:"
                                + " 0s}",
                        origin);
        RawClient client = rig.client();
        client.send(HEAD + "Content-Length: 100000\r\n\r\n{\"model\":\"m\",\"x\":\"");
        Thread drip =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    try {
                                        while (true) {
                                            client.send("xxxxxxxxxxxxxxxxxxxx");
                                            Thread.sleep(20);
                                        }
                                    } catch (IOException | InterruptedException e) {
                                        // closed
                                    }
                                });
        Response response = client.read();
        assertThat(response.status()).isEqualTo(408);
        assertThat(response.body()).contains("timeouts.request");
        drip.interrupt();
        assertThat(rig.outcome()).isInstanceOf(Outcome.Rejected.class);
        assertThat(rig.closings().count(Closed.LONG_BODY)).isEqualTo(1);
    }

    @Test
    void tellsWhyItClosedConnections() throws IOException {
        rig =
                Rig.of(
                        "server: {max_connections: 3, max_connections_per_address: 2,"
                                + " head_timeout: 200ms, stop_after: 0s}",
                        origin);
        RawClient slow = rig.client().send("POST /v1/chat");
        RawClient slowBody = rig.client().send(HEAD + "Content-Length: 100000\r\n\r\n{");
        rig.client().assertClosed();
        assertThat(rig.closings().count(Closed.MAX_PER_ADDRESS)).isEqualTo(1);
        assertThat(slow.read().status()).isEqualTo(408);
        assertThat(rig.closings().count(Closed.SLOW_HEAD)).isEqualTo(1);
        assertThat(slowBody.read().status()).isEqualTo(408);
        assertThat(rig.closings().count(Closed.SLOW_BODY)).isEqualTo(1);
        rig.settled(1);
    }

    @Test
    void answers415OnAnEncodedBodyAndNamesTheFix() throws IOException {
        rig = Rig.of("", origin);
        RawClient client = rig.client();
        client.send(HEAD + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\u001f\u008bxx");
        Response response = client.read();
        assertThat(response.status()).isEqualTo(415);
        assertThat(response.body()).contains("without Content-Encoding").contains("gzip");
        client.assertClosed();
        assertThat(
                        rig.client()
                                .send(HEAD + "Content-Encoding: identity\r\nContent-Length: 13")
                                .send("\r\n\r\n" + CALL)
                                .read()
                                .status())
                .isEqualTo(200);
        rig.settled(2);
    }
}
