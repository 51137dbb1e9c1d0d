package dev.sluice.proxy.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;

import dev.sluice.proxy.ProxyConfig;
import dev.sluice.shared.ConfigException;
import dev.sluice.shared.ConfigSource;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

class ProxyConfigFuzz {
    private static final Path NONE = Path.of("target", "no-such-file");

    @FuzzTest(maxDuration = "60s")
    void readsAConfigurationOrSaysWhatIsWrong(byte[] data) {
        String text = new String(data, StandardCharsets.UTF_8);
        try {
            // What came over the network may name no file, so that this reads none either.
            assertThat(ConfigSource.parseLike("fuzz", text, NONE, ProxyConfig::from)).isNotNull();
        } catch (ConfigException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }
}
