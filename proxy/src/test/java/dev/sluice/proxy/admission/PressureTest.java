package dev.sluice.proxy.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.sluice.proxy.admission.KeyConfig.Priority;
import dev.sluice.shared.ConfigException;
import dev.sluice.shared.ConfigSource;

import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.concurrent.atomic.AtomicReference;

class PressureTest {
    @ParameterizedTest
    @CsvSource({
        "0.00, NONE, NONE",
        "0.84, NONE, NONE",
        "0.85, NONE, SHED",
        "0.92, NONE, STOP_KEEP_ALIVE",
        "0.95, NONE, REFUSE",
        "1.50, SHED, REFUSE",
        "0.83, SHED, SHED",
        "0.81, SHED, NONE",
        "0.93, REFUSE, REFUSE",
        "0.91, REFUSE, STOP_KEEP_ALIVE",
        "0.90, STOP_KEEP_ALIVE, STOP_KEEP_ALIVE",
        "0.88, STOP_KEEP_ALIVE, SHED",
        "0.10, REFUSE, NONE",
    })
    void risesAtAThresholdAndFallsALittleBelowIt(double share, Pressure before, Pressure now) {
        assertEquals(now, Pressure.of(share, before, MemoryConfig.DEFAULT));
    }

    @Test
    void refusesSheddableCallsFirst() {
        var use = new AtomicReference<>(new MemoryUse(0.2, 0.2));
        var guard = new MemoryGuard(MemoryConfig.DEFAULT, use::get);
        guard.look();
        assertThat(guard.refusal(Priority.SHEDDABLE)).isNull();
        use.set(new MemoryUse(0.2, 0.9));
        guard.look();
        assertThat(guard.refusal(Priority.STANDARD)).isNull();
        assertThat(guard.keepAlive()).isTrue();
        var refusal = guard.refusal(Priority.SHEDDABLE);
        assertThat(refusal).isNotNull();
        assertThat(refusal.status()).isEqualTo(503);
        assertThat(refusal.message()).contains("heap 20 %, buffers 90 %");
        use.set(new MemoryUse(0.93, 0.2));
        guard.look();
        assertThat(guard.keepAlive()).isFalse();
        assertThat(guard.refusal(Priority.CRITICAL)).isNull();
        use.set(new MemoryUse(0.96, 0.2));
        guard.look();
        assertThat(guard.refusal(Priority.CRITICAL)).isNotNull();
    }

    @Test
    void readsThisProcess() {
        System.gc();
        MemoryUse now = MemoryUse.ofThisProcess().get();
        assertThat(now.heap()).isBetween(0.000_1, 0.9);
        assertThat(now.direct()).isBetween(0.0, 0.9);
    }

    @Test
    void readsItsConfiguration() {
        assertEquals(
                new MemoryConfig(0.7, 0.8, 0.9, 64 << 20),
                parse("{shed: 70%, stop_keep_alive: 0.8, refuse: 90%, bodies: 64MiB}"));
        assertEquals(MemoryConfig.DEFAULT, parse("{}"));
        Assertions.assertThatThrownBy(() -> parse("{shed: 99%}"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("do not rise");
    }

    private static MemoryConfig parse(String yaml) {
        return ConfigSource.parse("test", yaml, name -> null, MemoryConfig::from);
    }
}
