package dev.sluice.cli;

import dev.sluice.proxy.ProxyConfig;
import dev.sluice.shared.AdminJson;
import dev.sluice.shared.ConfigException;
import dev.sluice.shared.ConfigProblem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;

/// `check`: reads a file as its program would, and tells every problem.
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        header = "Validates a configuration file.",
        description = {
            "",
            "Exit code 0, or 2 with every problem: its line, its path and the fix. Starts nothing",
            "and contacts nobody.",
            ""
        },
        footer = {"", "Example:", "  sluice check --config sluice.yaml"})
final class CheckCommand implements Callable<Integer> {
    private final Console console;

    @Option(
            names = "--config",
            required = true,
            paramLabel = "F",
            description = "The file: of a proxy, or of an autoscaler (with scalers:).")
    private Path file = Path.of("");

    @Option(names = "--json", description = "Write {file, problems:[{path, line, message, fix}]}.")
    private boolean json;

    CheckCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        try {
            ProxyConfig config = ProxyConfig.read(file);
            int endpoints = config.pools().stream().mapToInt(p -> p.endpoints().size()).sum();
            String found =
                    "proxy, "
                            + counted(config.pools().size(), "pool")
                            + ", "
                            + counted(endpoints, "endpoint");
            tell(List.of(), file + ": good (" + found + ")");
            return 0;
        } catch (ConfigException e) {
            tell(e.problems(), String.valueOf(e.getMessage()));
            return 2;
        }
    }

    private void tell(List<ConfigProblem> problems, String text) {
        if (json) {
            var answer = new Answer(file.toString(), problems);
            console.out().println(new String(AdminJson.bytes(answer), StandardCharsets.UTF_8));
        } else {
            (problems.isEmpty() ? console.out() : console.err()).println(text);
        }
    }

    private static String counted(int n, String what) {
        return n + " " + what + (n == 1 ? "" : "s");
    }

    /// As `--json` writes it.
    private record Answer(String file, List<ConfigProblem> problems) {}
}
