package dev.sluice.autoscaler.target;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

class ChildTest {
    /// Enough that one of them is caught between its end and the news of its exit code.
    private static final int TIMES = 200;

    @TempDir Path folder;

    @Test
    void knowsItsExitCodeFromTheMomentThatItIsGone() throws Exception {
        ProcessSpec spec =
                new ProcessSpec(
                        List.of("sh", "-c", "echo gone; exit 3", "{port}"),
                        9000,
                        9000,
                        "127.0.0.1",
                        Path.of(""),
                        Map.of(),
                        "/health",
                        1,
                        Duration.ofSeconds(5),
                        false);
        Path output = folder.resolve("output");
        for (int i = 0; i < TIMES; i++) {
            var child = new Child(spec, 9000);
            child.start(spec, output, 0);
            child.run();
            while (child.alive()) {
                Thread.onSpinWait();
            }
            assertThat(child.describeEnd(output)).isEqualTo("exit code 3: gone");
        }
    }
}
