package dev.sluice.autoscaler.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Duration;

class LeadershipTest {
    @ParameterizedTest(name = "held by {0}, unchanged for {1} s of 15: {2}")
    @CsvSource({
        "    , 0,  true", // nobody's
        "''  , 0,  true", // given back
        "me  , 0,  true", // ours: renew
        "me  , 99, true",
        "you , 0,  false",
        "you , 12, false", // eight tenths: not yet
        "you , 13, true",
    })
    void takesWhatIsFreeOursOrLeft(String holder, long stillS, boolean may) {
        assertThat(
                        Leadership.mayTake(
                                holder, "me", Duration.ofSeconds(stillS), Duration.ofSeconds(15)))
                .isEqualTo(may);
    }

    @ParameterizedTest(name = "held {0}, unchanged for {1} ms of 10,000: looks again after {2} ms")
    @CsvSource({
        "true,  0,     1000", // renews
        "true,  7800,  1000",
        "false, 0,     1000",
        "false, 7500,  501", // then it may take it
        "false, 8000,  1",
        "false, 9000,  1000", // somebody else was quicker
    })
    void wakesUpInTheMomentInWhichItMayTakeIt(boolean held, long stillMs, long pauseMs) {
        Duration lease = Duration.ofSeconds(10);
        assertThat(Leadership.pause(held, Duration.ofMillis(stillMs), lease).toMillis())
                .isEqualTo(pauseMs);
        assertThat(Leadership.mayTake("you", "me", Duration.ofMillis(8_001), lease)).isTrue();
    }

    /// The holder stops by itself after half; whoever follows waits eight tenths: in between a
    /// write that was under way ends, and a request lasts a quarter at most.
    @ParameterizedTest
    @CsvSource({"6", "15", "60"})
    void aWriteThatIsUnderWayEndsBeforeASuccessorBegins(long leaseS) {
        Duration lease = Duration.ofSeconds(leaseS);
        Duration lastWriteBegins = lease.dividedBy(2);
        Duration lastWriteEnds = lastWriteBegins.plus(lease.dividedBy(4));
        assertThat(Leadership.mayTake("you", "me", lastWriteEnds, lease)).isFalse();
    }
}
