package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.accounting.CallRecord;
import dev.sluice.proxy.flow.RawClient.Response;
import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.response.Outcome;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/// Every phase of a call has its time, and a busy engine is asked again.
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class TimeoutsFlowTest {
    private static final String CALL = "{\"model\":\"m\",\"stream\":true}";
    private static final String STREAM =
            "HTTP/1.1 200 OK\r\n"
                    + "Content-Type: text/event-stream\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n";

    private final Origin origin = new Origin();
    private Rig rig;

    TimeoutsFlowTest() throws IOException {}

    @AfterEach
    void close() throws Exception {
        rig.close();
        origin.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", STREAM})
    void answers504WhenNoFirstByteComes(String sends) throws IOException {
        rig = Rig.of("timeouts: {first_byte: 200ms, first_byte_per_1k_tokens: 0s}", origin);
        origin.on(silentAfter(sends));
        Response response = rig.client().post(CALL).read();
        assertThat(response.status()).isEqualTo(504);
        assertThat(response.body()).contains("\"code\":\"upstream_timeout\"");
        assertThat(rig.settled(1).getFirst().attempts())
                .extracting(CallRecord.Attempt::result)
                .containsExactly(AttemptResult.FIRST_BYTE_TIMEOUT);
    }

    @Test
    void goesElsewhereWhenNoFirstByteComes() throws IOException {
        try (var other = new Origin()) {
            rig =
                    Rig.of(
                            "timeouts: {first_byte: 200ms, first_byte_per_1k_tokens: 0s}",
                            origin,
                            other);
            origin.on(silentAfter(""));
            for (int i = 0; i < 2; i++) {
                assertThat(rig.client().post(CALL).read().body()).isEqualTo("ok");
            }
            rig.settled(2);
        }
    }

    @Test
    void breaksASilentStreamOff() throws IOException {
        rig = Rig.of("timeouts: {between_chunks: 200ms}", origin);
        origin.on(silentAfter(STREAM + "9\r\ndata: x\n\n\r\n"));
        Response response = rig.client().post(CALL).read();
        assertThat(response.whole()).isFalse();
        assertThat(response.body()).contains("data: {\"error\":").contains("silent for 200 ms");
        assertThat(rig.outcome()).isEqualTo(new Outcome.Broken(AttemptResult.STALLED));
    }

    @Test
    void boundsTheWholeCall() throws IOException {
        rig = Rig.of("timeouts: {total: 300ms}", origin);
        origin.on(silentAfter(""));
        assertThat(rig.client().post("{\"model\":\"m\"}").read().status()).isEqualTo(504);
        rig.settled(1);
    }

    @Test
    void boundsTheWaitInTheQueue() throws IOException {
        rig = Rig.pool("", "cap: 1\nqueue: {deadline: 300ms}", origin);
        origin.on(silentAfter(STREAM + "9\r\ndata: x\n\n\r\n"));
        RawClient first = rig.client().post(CALL);
        first.readHead();
        Response response = rig.client().post(CALL).read();
        assertThat(response.status()).isEqualTo(503);
        assertThat(response.header("retry-after")).isNotNull();
        first.close();
        rig.settled(2);
        assertThat(origin.calls()).hasSize(1);
    }

    @Test
    void tellsHowLongACallWaitedThatEndedInTheQueue() throws IOException {
        rig = Rig.pool("timeouts: {total: 300ms}", "cap: 1\nqueue: {deadline: 10s}", origin);
        origin.on(silentAfter(STREAM + "9\r\ndata: x\n\n\r\n"));
        RawClient first = rig.client().post(CALL);
        first.readHead();
        Response response = rig.client().post("{\"model\":\"m\"}").read();
        assertThat(response.status()).isGreaterThanOrEqualTo(500);
        first.close();
        CallRecord waited =
                rig.settled(2).stream().filter(r -> r.attempts().isEmpty()).findFirst().get();
        assertThat(TimeUnit.NANOSECONDS.toMillis(waited.queueNanos())).isGreaterThanOrEqualTo(250);
    }

    @ParameterizedTest
    @ValueSource(strings = {"429 Too Many", "503 Busy"})
    void asksABusyEngineAgain(String status) throws IOException {
        rig = Rig.of("", origin);
        origin.on("HTTP/1.1 " + status + "\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")
                .on(Origin.OK);
        Response response = rig.client().post(CALL).read();
        assertThat(response.body()).isEqualTo("ok");
        assertThat(rig.settled(1).getFirst().attempts())
                .extracting(CallRecord.Attempt::result)
                .containsExactly(AttemptResult.OVERLOADED, AttemptResult.OK);
    }

    private static Origin.Script silentAfter(String sends) {
        return call -> {
            call.body();
            call.send(sends);
            call.awaitClose();
        };
    }
}
