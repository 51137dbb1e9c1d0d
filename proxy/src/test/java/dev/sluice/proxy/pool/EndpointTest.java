package dev.sluice.proxy.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.shared.EngineLoad;

import org.junit.jupiter.api.Test;

class EndpointTest {
    private static final long S = 1_000_000_000L;

    private final Endpoint endpoint = TestPool.endpoint(1);

    @Test
    void readsUrlsInOneSpelling() {
        EndpointUrl url = EndpointUrl.parse("HTTP://Host:8000/base/v1/");
        assertThat(url).hasToString("http://host:8000/base");
        assertThat(url.id()).isEqualTo("host:8000");
        assertThat(EndpointUrl.parse("https://h").id()).isEqualTo("h:443");
        assertThat(EndpointUrl.parse("https://h").authority()).isEqualTo("h");
        assertThat(EndpointUrl.parse("http://[::1]:9").id()).isEqualTo("[::1]:9");
    }

    @Test
    void refusesUrlsThatAreNoneAndSaysHowToWriteOne() {
        for (String wrong :
                new String[] {
                    "10.0.0.1:8000",
                    "ftp://h",
                    "http://",
                    "http://u:p@h",
                    "http://h?x",
                    "http://h:0",
                    "http://169.254.169.254",
                    "http://h h"
                }) {
            assertThatThrownBy(() -> EndpointUrl.parse(wrong))
                    .as(wrong)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("write it as http://10.0.0.1:8000");
        }
    }

    @Test
    void takesNoMoreThanItsCap() {
        assertThat(endpoint.take(2)).isTrue();
        assertThat(endpoint.take(2)).isTrue();
        assertThat(endpoint.take(2)).isFalse();
        endpoint.giveBack();
        assertThat(endpoint.take(2)).isTrue();
    }

    @Test
    void weighsFailuresAsLoadThatFades() {
        endpoint.ended(AttemptResult.SERVER_ERROR, S, S);
        assertThat(endpoint.load(0, S)).isEqualTo(4);
        assertThat(endpoint.load(0, 6 * S)).isCloseTo(4 / Math.E, within(0.01));
        for (int i = 0; i < 100; i++) {
            endpoint.ended(AttemptResult.SERVER_ERROR, S, 6 * S);
        }
        assertThat(endpoint.load(0, 6 * S)).isEqualTo(64);
        assertThat(endpoint.load(0, 60 * S)).isZero();
    }

    @Test
    void believesBadNewsAtOnceAndGoodNewsSlowly() {
        endpoint.firstByte(100, 0);
        endpoint.firstByte(500, S);
        assertThat(endpoint.ttftNanos()).isEqualTo(500);
        endpoint.firstByte(100, S);
        assertThat(endpoint.ttftNanos()).isEqualTo(500);
        endpoint.firstByte(100, 11 * S);
        assertThat(endpoint.ttftNanos()).isCloseTo(100 + 400 / Math.E, within(1.0));
    }

    @Test
    void countsStreaksThatAnAnswerEnds() {
        endpoint.ended(AttemptResult.RESET, 0, 0);
        endpoint.ended(AttemptResult.CLIENT_GONE, 0, 0);
        endpoint.ended(AttemptResult.OVERLOADED, 0, 0);
        endpoint.ended(AttemptResult.REFUSED, 0, 0);
        assertThat(endpoint.failuresInARow()).isEqualTo(2);
        assertThat(endpoint.refusedInARow()).isEqualTo(1);
        endpoint.ended(AttemptResult.OK, 0, 0);
        assertThat(endpoint.failuresInARow()).isZero();
        assertThat(endpoint.refusedInARow()).isZero();
        assertThat(endpoint.failures()).isEqualTo(2);
    }

    @Test
    void holdsWhatTheEngineRunsBeyondItsOwnForOthers() {
        assertThat(Watch.foreign(new EngineLoad(5.0, 2.0, null, null), 3)).isEqualTo(4);
        assertThat(Watch.foreign(new EngineLoad(1.0, null, null, null), 3)).isZero();
        assertThat(Watch.foreign(EngineLoad.NONE, 0)).isZero();
    }

    @Test
    void measuresGoodputForEachBusySecond() {
        var window = new Window(endpoint.totals());
        endpoint.ended(AttemptResult.OK, 2 * S, 0);
        endpoint.tokens(101, S);
        endpoint.ended(AttemptResult.RESET, 2 * S, 0);
        Recent recent = window.recent(endpoint.totals());
        assertThat(recent.errorRate()).isEqualTo(0.5);
        assertThat(recent.nanosPerToken()).isEqualTo(S / 100.0);
        assertThat(recent.goodput()).isCloseTo(101 / 4.0 * 0.5, within(1e-9));
        for (int i = 0; i < 10; i++) {
            window.tick(endpoint.totals());
        }
        assertThat(window.recent(endpoint.totals())).isEqualTo(Recent.NOTHING);
    }
}
