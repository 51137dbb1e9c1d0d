package dev.sluice.cli;

import dev.sluice.autoscaler.AutoscalerConfig;
import dev.sluice.autoscaler.kubernetes.KubernetesConfig;
import dev.sluice.proxy.ProxyConfig;
import dev.sluice.shared.AdminJson;
import dev.sluice.shared.ConfigException;
import dev.sluice.shared.ConfigProblem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/// `check`: reads a file as its program would, and tells every problem.
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        header = "Validates a configuration file.",
        description = {
            "",
            "Exit code 0, or 2 with every problem: its line, its path and the fix. Also tells what",
            "is allowed and may not be meant. Starts nothing and contacts nobody.",
            ""
        },
        exitCodeList = {"0:the file is good", "2:it is not, or cannot be read"},
        footer = {
            "",
            "Examples:",
            "  sluice check --config sluice.yaml",
            "  sluice check --config sluice.yaml --json | jq .problems"
        })
final class CheckCommand implements Callable<Integer> {
    private final Console console;

    @Option(
            names = "--config",
            required = true,
            paramLabel = "F",
            description =
                    "The file: of a proxy, or of an autoscaler (with scalers: or kubernetes:).")
    private Path file = Path.of("");

    @Option(
            names = "--json",
            description = "Write {file, problems:[{path, line, message, fix}], notes:[…]}.")
    private boolean json;

    CheckCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        try {
            Found found = ofAutoscaler() ? autoscaler() : proxy();
            if (json) {
                tell(List.of(), found.notes());
            } else {
                console.out().println(file + ": good (" + found.what() + ")");
                found.notes().forEach(note -> console.err().println("  note: " + note));
            }
            return 0;
        } catch (ConfigException e) {
            if (json) {
                tell(e.problems(), List.of());
            } else {
                console.err().println(e.getMessage());
            }
            return 2;
        }
    }

    /// Only an autoscaler's file has `scalers:` or `kubernetes:` at its top level.
    private boolean ofAutoscaler() {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.anyMatch(
                    line -> line.matches("(\\{\\s*)?[\"']?(scalers|kubernetes)[\"']?\\s*:.*"));
        } catch (IOException | UncheckedIOException e) {
            return false; // reading it as a proxy's tells what is wrong
        }
    }

    private Found autoscaler() {
        AutoscalerConfig config = AutoscalerConfig.read(file);
        KubernetesConfig kubernetes = config.kubernetes();
        boolean resources = kubernetes != null && kubernetes.resources();
        String scalers = counted(config.scalers().size(), "scaler");
        return new Found(
                "autoscaler, " + scalers + (resources ? " and InferenceScaler resources" : ""),
                List.of());
    }

    private Found proxy() {
        ProxyConfig config = ProxyConfig.read(file);
        int endpoints = config.pools().stream().mapToInt(p -> p.endpoints().size()).sum();
        return new Found(
                "proxy, "
                        + counted(config.pools().size(), "pool")
                        + ", "
                        + counted(endpoints, "endpoint"),
                config.notes());
    }

    private void tell(List<ConfigProblem> problems, List<String> notes) {
        var answer = new Answer(file.toString(), problems, notes);
        console.out().println(new String(AdminJson.bytes(answer), StandardCharsets.UTF_8));
    }

    private static String counted(int n, String what) {
        return n + " " + what + (n == 1 ? "" : "s");
    }

    /// What a good file holds, in words.
    private record Found(String what, List<String> notes) {}

    /// As `--json` writes it.
    private record Answer(String file, List<ConfigProblem> problems, List<String> notes) {}
}
