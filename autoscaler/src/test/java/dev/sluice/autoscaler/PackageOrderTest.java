package dev.sluice.autoscaler;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

class PackageOrderTest {
    @ParameterizedTest(name = "{0} does not import {1}")
    @CsvSource({
        "signal,decision",
        "signal,target",
        "decision,target",
        "target,decision",
        "signal,kubernetes",
        "decision,kubernetes",
        "target,kubernetes"
    })
    void importsPointToSignal(String from, String to) throws IOException {
        Path folder = Path.of("src/main/java/dev/sluice/autoscaler", from);
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                List<String> lines = Files.readAllLines(file);
                assertThat(lines).noneMatch(l -> l.contains("dev.sluice.autoscaler." + to + "."));
            }
        }
    }
}
