package dev.sluice.proxy.call;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.pool.AttemptResult;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryTest {
    @ParameterizedTest
    @CsvSource({
        // result, unsent, sent, stale, action
        "REFUSED, 1, 0, 0, ELSEWHERE",
        "REFUSED, 2, 0, 0, ELSEWHERE",
        "REFUSED, 3, 0, 0, NONE",
        "REFUSED, 1, 2, 1, ELSEWHERE",
        "CONNECT_FAILED, 1, 0, 0, ELSEWHERE",
        "CONNECT_FAILED, 3, 0, 0, NONE",
        "STALE_CONNECTION, 0, 0, 1, FRESH",
        "STALE_CONNECTION, 0, 0, 2, NONE",
        "BAD_GATEWAY, 0, 1, 0, ELSEWHERE",
        "BAD_GATEWAY, 0, 2, 0, NONE",
        "RESET, 0, 1, 0, ELSEWHERE",
        "RESET, 0, 2, 0, NONE",
        "FIRST_BYTE_TIMEOUT, 0, 1, 0, ELSEWHERE",
        "FIRST_BYTE_TIMEOUT, 0, 2, 0, NONE",
        "TRUNCATED, 0, 1, 0, ELSEWHERE",
        "PROTOCOL_ERROR, 0, 1, 0, ELSEWHERE",
        "PROTOCOL_ERROR, 2, 2, 1, NONE",
        "OVERLOADED, 0, 0, 0, REQUEUE",
        "OVERLOADED, 3, 2, 1, REQUEUE",
        "OK, 0, 0, 0, NONE",
        "CLIENT_GONE, 0, 0, 0, NONE",
        "CLIENT_ERROR, 0, 0, 0, NONE",
        "SERVER_ERROR, 0, 0, 0, NONE",
        "STALLED, 0, 0, 0, NONE",
    })
    void follows(AttemptResult result, int unsent, int sent, int stale, Retry action) {
        assertThat(Retry.after(result, unsent, sent, stale)).isEqualTo(action);
    }
}
