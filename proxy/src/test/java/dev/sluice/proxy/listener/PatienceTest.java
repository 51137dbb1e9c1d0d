package dev.sluice.proxy.listener;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.concurrent.TimeUnit;

class PatienceTest {
    private long now;
    private final Patience patience = new Patience(now);

    private int spent(int what) {
        int times = 0;
        while (patience.spend(what, now)) {
            times++;
        }
        return times;
    }

    @Test
    void aConnectionThatOnlyMakesWorkEndsSoon() {
        assertThat(spent(Patience.BROKEN)).isEqualTo(20);
    }

    @Test
    void aHundredCallsAtOnceMayAllBeReset() {
        assertThat(spent(Patience.RESET)).isEqualTo(200);
    }

    @Test
    void fewerMayBeResetAsSoonAsTheyBegin() {
        assertThat(spent(Patience.PREMATURE_RESET)).isEqualTo(50);
    }

    /// As a gateway in front brings them, for years.
    @Test
    void fourResetsForEachAnswerGoOnForEver() {
        for (int i = 0; i < 100_000; i++) {
            patience.earn(Patience.SERVED);
            for (int j = 0; j < 4; j++) {
                assertThat(patience.spend(Patience.RESET, now)).isTrue();
            }
        }
    }

    /// Each call is made twice, and the slower of the two is reset.
    @Test
    void hedgedCallsGoOnForEver() {
        for (int i = 0; i < 100_000; i++) {
            patience.earn(Patience.SERVED);
            assertThat(patience.spend(Patience.PREMATURE_RESET, now)).isTrue();
        }
    }

    @Test
    void aStreamMayBeFollowedByItsWindowUpdates() {
        for (int i = 0; i < 100_000; i++) {
            patience.earn(Patience.DATA);
            assertThat(patience.spend(Patience.CONTROL, now)).isTrue();
            assertThat(patience.spend(Patience.CONTROL, now)).isTrue();
        }
    }

    @Test
    void whatWasEarnedIsBounded() {
        for (int i = 0; i < 100_000; i++) {
            patience.earn(Patience.SERVED);
        }
        assertThat(spent(Patience.CONTROL)).isEqualTo(10_000);
    }

    @Test
    void isPatientAgainAfterHalfAMinute() {
        spent(Patience.CONTROL);
        now += TimeUnit.SECONDS.toNanos(29);
        assertThat(patience.spend(Patience.CONTROL, now)).isFalse();
        now += TimeUnit.SECONDS.toNanos(1);
        assertThat(spent(Patience.CONTROL)).isEqualTo(1000);
    }
}
