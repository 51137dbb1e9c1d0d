package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

import dev.sluice.autoscaler.AutoscalerConfig;
import dev.sluice.proxy.ProxyConfig;
import dev.sluice.shared.ConfigNode;
import dev.sluice.shared.ConfigSource;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/// compose.yaml and the files that it mounts fit the programs and the charts.
class ComposeTest {
    private static final Path ROOT = Path.of("..");

    @Test
    void programsAcceptTheMountedFiles() throws IOException {
        ProxyConfig proxy = load("proxy.yaml", ProxyConfig::from);
        AutoscalerConfig autoscaler = load("autoscaler.yaml", AutoscalerConfig::from);
        assertThat(autoscaler.scalers().getFirst().pool())
                .isEqualTo(proxy.pools().getFirst().name());
        assertThat(autoscaler.scalers().getFirst().proxies().port())
                .isEqualTo(proxy.admin().port());
    }

    @Test
    void theCommandLineKnowsEveryCommand() throws IOException {
        for (JsonNode service : compose().path("services")) {
            if (service.has("command") && !service.has("entrypoint")) {
                var silent = new PrintWriter(new StringWriter());
                Main.commandLine(new Console(silent, silent, false))
                        .parseArgs(
                                service.path("command")
                                        .valueStream()
                                        .map(JsonNode::asText)
                                        .toArray(String[]::new));
            }
        }
    }

    @Test
    void everyMountedFileIsThere() throws IOException {
        for (JsonNode volume :
                compose().findValues("volumes").stream().flatMap(JsonNode::valueStream).toList()) {
            assertThat(ROOT.resolve(volume.asText().split(":")[0])).exists();
        }
    }

    @Test
    void imageIsTheChartsImage() throws IOException {
        JsonNode values =
                Chart.YAML.readTree(Chart.SLUICE.folder().resolve("values.yaml").toFile());
        JsonNode chart = Chart.YAML.readTree(Chart.SLUICE.folder().resolve("Chart.yaml").toFile());
        String image =
                values.at("/image/repository").asText() + ":" + chart.path("appVersion").asText();
        assertThat(compose().at("/x-sluice/image").asText()).endsWith(":-" + image + "}");
        assertThat(Files.readString(ROOT.resolve("images/Dockerfile")))
                .contains("USER 65532:65532");
    }

    /// A package may be named like a folder that Docker is told to leave out.
    @Test
    void dockerIsGivenEverySource() throws IOException {
        List<PathMatcher> left;
        try (Stream<String> lines = Files.lines(ROOT.resolve(".dockerignore"))) {
            left =
                    lines.filter(line -> !line.isEmpty() && !"#!".contains(line.substring(0, 1)))
                            .filter(line -> !line.equals("*"))
                            .map(line -> FileSystems.getDefault().getPathMatcher("glob:" + line))
                            .toList();
        }
        assertThat(left).isNotEmpty();
        for (String module : List.of("shared", "proxy", "autoscaler", "simulator", "cli")) {
            try (Stream<Path> sources = Files.walk(ROOT.resolve(module).resolve("src/main"))) {
                assertThat(sources.map(ROOT::relativize))
                        .noneMatch(path -> left.stream().anyMatch(out -> out.matches(path)));
            }
        }
    }

    private static JsonNode compose() throws IOException {
        return Chart.YAML.readTree(ROOT.resolve("compose.yaml").toFile());
    }

    private static <T> T load(String file, Function<ConfigNode, T> loader) throws IOException {
        Map<String, String> environment = Map.of("SLUICE_ADMIN_TOKEN", "a-token-of-24-characters");
        String text = Files.readString(ROOT.resolve("images/compose").resolve(file));
        return ConfigSource.parse(file, text, environment::get, loader);
    }
}
