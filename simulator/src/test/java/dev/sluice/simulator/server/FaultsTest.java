package dev.sluice.simulator.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;

class FaultsTest {
    @Test
    void readsEveryForm() throws JsonProcessingException {
        Faults faults =
                Faults.parse(
                        List.of(
                                "error=0.1",
                                "status=502:20%",
                                "slow=8",
                                "crash-after=30s",
                                "hang"));
        assertThat(faults.rate(Faults.Kind.ERROR)).isEqualTo(0.1);
        assertThat(faults.rate(Faults.Kind.STATUS)).isEqualTo(0.2);
        assertThat(faults.status()).isEqualTo(502);
        assertThat(faults.slowness()).isEqualTo(8);
        assertThat(faults.crashAfter()).isEqualTo(Duration.ofSeconds(30));
        assertThat(faults.rate(Faults.Kind.HANG)).isEqualTo(1);
        assertThat(Faults.of(new ObjectMapper().readTree(faults.json()))).isEqualTo(faults);
    }

    @Test
    void namesTheFlagAndTheFix() {
        assertWrong("eror=0.1", "--fail eror=0.1", "did you mean error?");
        assertWrong("error=2", "--fail error=2", "write a rate of 0 to 1, as error=0.1");
        assertWrong("slow=x", "\"x\" is not right", "slow=8");
        assertWrong("status=200", "status=503:0.2");
        assertWrong("crash-after=30", "30s");
    }

    @Test
    void picksAtMostOneFaultWithItsShare() {
        Faults faults = Faults.parse(List.of("error=0.2", "stall=0.3", "unhealthy"));
        var random = new SplittableRandom(1);
        int errors = 0;
        int stalls = 0;
        int none = 0;
        for (int i = 0; i < 10_000; i++) {
            Faults.Kind kind = faults.pick(random);
            errors += kind == Faults.Kind.ERROR ? 1 : 0;
            stalls += kind == Faults.Kind.STALL ? 1 : 0;
            none += kind == null ? 1 : 0;
        }
        assertThat(errors).isBetween(1_850, 2_150);
        assertThat(stalls).isBetween(2_850, 3_150);
        assertThat(none).isEqualTo(10_000 - errors - stalls);
    }

    private static void assertWrong(String spec, String... parts) {
        assertThatThrownBy(() -> Faults.parse(List.of(spec)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(parts);
    }
}
