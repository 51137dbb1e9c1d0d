package dev.sluice.cli;

import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Parameters;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/// `completion`: a script for a shell, made from the commands and flags that this program has.
@Command(
        name = "completion",
        mixinStandardHelpOptions = true,
        header = "Writes a completion script for a shell.",
        description = {
            "",
            "Made from the commands and flags of this very version: write it again after an"
                    + " update.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  source <(sluice completion bash)                 # this shell",
            "  sluice completion bash > /etc/bash_completion.d/sluice",
            "  sluice completion zsh > ~/.sluice.zsh            # then source it in ~/.zshrc",
            "  sluice completion fish > ~/.config/fish/completions/sluice.fish"
        })
final class CompletionCommand implements Callable<Integer> {
    private final Console console;

    @Parameters(paramLabel = "SHELL", description = "One of ${COMPLETION-CANDIDATES}.")
    private Shell shell = Shell.bash;

    /// In the case in which they are written.
    enum Shell {
        bash,
        zsh,
        fish
    }

    CompletionCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        CommandLine root = Main.commandLine(console);
        String script =
                switch (shell) {
                    // zsh runs bash's script by its own bashcompinit, which the script turns on.
                    case bash, zsh -> AutoComplete.bash(root.getCommandName(), root);
                    case fish -> fish(root);
                };
        console.out().print(script);
        console.out().flush();
        return 0;
    }

    /// Fish has one line for each thing, with the condition under which it is offered.
    private static String fish(CommandLine root) {
        var out = new ArrayList<String>();
        out.add("# sluice completion for fish, written by: sluice completion fish");
        out.add("complete -c sluice -f");
        fish(root, List.of(), out);
        return String.join("\n", out) + "\n";
    }

    private static void fish(CommandLine line, List<String> path, List<String> out) {
        String when = when(line, path);
        for (OptionSpec option : line.getCommandSpec().options()) {
            if (!option.hidden()) {
                out.add("complete -c sluice -n '" + when + "'" + flag(option));
            }
        }
        line.getSubcommands()
                .forEach(
                        (name, sub) -> {
                            out.add(
                                    "complete -c sluice -n '"
                                            + when
                                            + "' -a "
                                            + name
                                            + " -d "
                                            + quoted(summary(sub.getCommandSpec())));
                            var deeper = new ArrayList<>(path);
                            deeper.add(name);
                            fish(sub, deeper, out);
                        });
        for (var parameter : line.getCommandSpec().positionalParameters()) {
            if (parameter.completionCandidates() != null) {
                out.add(
                        "complete -c sluice -n '"
                                + when
                                + "' -a "
                                + quoted(String.join(" ", parameter.completionCandidates())));
            }
        }
    }

    /// Under these words, and not yet under one of those that may follow.
    private static String when(CommandLine line, List<String> path) {
        var conditions = new ArrayList<String>();
        path.forEach(word -> conditions.add("__fish_seen_subcommand_from " + word));
        if (!line.getSubcommands().isEmpty()) {
            conditions.add(
                    "not __fish_seen_subcommand_from "
                            + String.join(" ", line.getSubcommands().keySet()));
        }
        return String.join("; and ", conditions);
    }

    private static String flag(OptionSpec option) {
        var out = new StringBuilder();
        for (String name : option.names()) {
            out.append(
                    name.startsWith("--") ? " -l " + name.substring(2) : " -s " + name.charAt(1));
        }
        if (option.arity().max() > 0) {
            out.append(" -r");
            if (option.completionCandidates() != null) {
                out.append(" -a ").append(quoted(String.join(" ", option.completionCandidates())));
            } else if (option.auxiliaryTypes()[0].equals(Path.class)) {
                out.append(" -F");
            }
        }
        String[] description = option.description();
        return out.append(" -d ")
                .append(quoted(description.length == 0 ? "" : sentence(description[0], option)))
                .toString();
    }

    private static String sentence(String text, OptionSpec option) {
        return text.replace("${DEFAULT-VALUE}", String.valueOf(option.defaultValue()))
                .replace(
                        "${COMPLETION-CANDIDATES}",
                        option.completionCandidates() == null
                                ? ""
                                : String.join(", ", option.completionCandidates()));
    }

    private static String summary(CommandSpec spec) {
        String[] header = spec.usageMessage().header();
        String[] text = header.length == 0 ? spec.usageMessage().description() : header;
        return text.length == 0 ? "" : text[0];
    }

    private static String quoted(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}
