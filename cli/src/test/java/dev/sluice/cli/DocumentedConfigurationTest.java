package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Whoever copies an example from the documentation has a file that works.
class DocumentedConfigurationTest {
    private static final Pattern YAML = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL);

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../README.md",
                "../docs/configuration.md",
                "../docs/autoscaling.md",
                "../docs/getting-started.md",
                "../docs/migration.md"
            })
    void everyExampleLoads(String document) throws IOException {
        List<String> examples = new ArrayList<>();
        Matcher m = YAML.matcher(Files.readString(Path.of(document)));
        while (m.find()) {
            examples.add(m.group(1));
        }
        assertThat(examples).isNotEmpty();
        for (String example : examples) {
            var err = new StringWriter();
            var out = new PrintWriter(new StringWriter());
            var console = new Console(out, new PrintWriter(err, true), false);
            Path file = Files.writeString(folder.resolve("example.yaml"), example);
            int code = Main.run(console, "check", "--config", file.toString());
            assertThat(err.toString()).isEmpty();
            assertThat(code).isZero();
        }
    }
}
