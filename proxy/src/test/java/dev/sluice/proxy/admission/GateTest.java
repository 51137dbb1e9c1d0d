package dev.sluice.proxy.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.http.RequestHead;
import dev.sluice.proxy.request.Refusal;

import io.netty.buffer.Unpooled;

import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

class GateTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private static KeyConfig key(String name, String key, int requests, int tokens)
            throws Exception {
        byte[] digest =
                MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        return new KeyConfig(
                name,
                HexFormat.of().formatHex(digest),
                requests,
                tokens,
                KeyConfig.Priority.STANDARD);
    }

    private static RequestHead head(String field) {
        String text = "GET /v1/models HTTP/1.1\r\nHost: h\r\n" + field + "\r\n";
        var head = new RequestHead();
        assertThat(
                        head.read(
                                Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1),
                                text.length()))
                .isNull();
        return head;
    }

    private static Refusal refusal(Admission admission) {
        assertThat(admission).isInstanceOf(Admission.Shed.class);
        return ((Admission.Shed) admission).refusal();
    }

    private static Caller caller(Admission admission) {
        assertThat(admission).isInstanceOf(Admission.Admitted.class);
        return ((Admission.Admitted) admission).caller();
    }

    @Test
    void letsEverybodyInWithoutKeys() {
        assertThat(caller(new Gate(List.of(), 0).admit(head(""), 0)).name()).isEmpty();
    }

    @Test
    void knowsACallerByEachHeaderThatSdksUse() throws Exception {
        var gate = new Gate(List.of(key("a", "ka", 0, 0), key("b", "kb", 0, 0)), 0);
        assertThat(caller(gate.admit(head("Authorization: Bearer kb\r\n"), 0)).name())
                .isEqualTo("b");
        assertThat(caller(gate.admit(head("x-api-key: ka\r\n"), 0)).name()).isEqualTo("a");
        assertThat(caller(gate.admit(head("api-key: ka\r\n"), 0)).name()).isEqualTo("a");
    }

    @Test
    void refusesWithoutAndWithAWrongKey() throws Exception {
        var gate = new Gate(List.of(key("a", "ka", 0, 0)), 0);
        assertThat(refusal(gate.admit(head(""), 0)))
                .extracting(Refusal::status, Refusal::code)
                .containsExactly(401, "missing_api_key");
        assertThat(refusal(gate.admit(head("Authorization: Bearer nope\r\n"), 0)).code())
                .isEqualTo("invalid_api_key");
    }

    @Test
    void refusesMoreRequestsThanAMinuteAllowsAndSaysWhenToComeBack() throws Exception {
        var gate = new Gate(List.of(key("a", "ka", 2, 0)), 0);
        RequestHead asked = head("x-api-key: ka\r\n");
        gate.admit(asked, 0);
        gate.admit(asked, 0);
        Refusal third = refusal(gate.admit(asked, 0));
        assertThat(third.status()).isEqualTo(429);
        assertThat(third.retryAfter()).hasSeconds(30);
        caller(gate.admit(asked, 30 * SECOND));
    }

    @Test
    void countsTokensAndCorrectsThemByWhatWasUsed() throws Exception {
        var gate = new Gate(List.of(key("a", "ka", 0, 1000)), 0);
        Caller caller = caller(gate.admit(head("x-api-key: ka\r\n"), 0));
        assertThat(caller.tokens(900, 0)).isNull();
        assertThat(caller.tokens(200, 0)).isNotNull();
        caller.used(900, 100);
        assertThat(caller.tokens(200, 0)).isNull();
    }

    @Test
    void letsACallLargerThanTheLimitThroughOnceTheBucketIsFull() throws Exception {
        var gate = new Gate(List.of(key("a", "ka", 0, 1000)), 0);
        Caller caller = caller(gate.admit(head("x-api-key: ka\r\n"), 0));
        assertThat(caller.tokens(5000, 0)).isNull();
        assertThat(caller.tokens(1, 4 * 60 * SECOND)).isNotNull();
        assertThat(caller.tokens(1, 5 * 60 * SECOND)).isNull();
    }
}
