package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// What `--help` says, held to what is parsed.
class HelpTest {
    private static final Pattern FLAG = Pattern.compile("(?<![\\w-])--?[a-zA-Z][a-zA-Z-]*");

    private static CommandLine root() {
        var nowhere = new PrintWriter(new StringWriter());
        return Main.commandLine(new Console(nowhere, nowhere, false));
    }

    private static List<CommandSpec> commands() {
        var out = new ArrayList<CommandSpec>();
        collect(root(), out);
        return out;
    }

    private static void collect(CommandLine line, List<CommandSpec> out) {
        out.add(line.getCommandSpec());
        line.getSubcommands().values().forEach(sub -> collect(sub, out));
    }

    private static String help(CommandSpec spec) {
        return spec.commandLine().getUsageMessage(Ansi.OFF);
    }

    @Test
    void everyFlagThatIsParsedIsInTheHelp() {
        for (CommandSpec spec : commands()) {
            for (OptionSpec option : spec.options()) {
                assertThat(flags(help(spec)))
                        .as("%s", spec.qualifiedName())
                        .contains(option.names());
                assertThat(option.description())
                        .as("%s %s", spec.qualifiedName(), option.longestName())
                        .isNotEmpty();
            }
        }
    }

    @Test
    void everyFlagInTheHelpIsParsed() {
        for (CommandSpec spec : commands()) {
            Set<String> known = new TreeSet<>(spec.optionsMap().keySet());
            spec.subcommands()
                    .values()
                    .forEach(sub -> known.addAll(sub.getCommandSpec().optionsMap().keySet()));
            assertThat(known).as(spec.qualifiedName()).containsAll(flags(ours(help(spec))));
        }
    }

    private static Set<String> flags(String text) {
        return FLAG.matcher(text).results().map(MatchResult::group).collect(Collectors.toSet());
    }

    /// Without the lines of examples that are of other programs, and with joined letters apart.
    private static String ours(String help) {
        return help.lines()
                .filter(line -> !line.strip().startsWith("curl "))
                .map(line -> line.replace("[-hV]", "[-h] [-V]"))
                .collect(Collectors.joining("\n"));
    }

    @Test
    void everyDefaultIsInTheHelp() {
        for (CommandSpec spec : commands()) {
            for (OptionSpec option : spec.options()) {
                String value = option.defaultValue();
                String text = String.join(" ", option.description());
                if (value == null || option.arity().max() == 0) {
                    continue;
                }
                if (value.startsWith("${env:")) {
                    assertThat(text).contains(value.substring(6, value.length() - 1));
                } else {
                    assertThat(text.replace("${DEFAULT-VALUE}", value))
                            .as("%s %s", spec.qualifiedName(), option.longestName())
                            .contains("default " + value);
                }
            }
        }
    }

    @Test
    void everyCommandSaysItsPurposeItsExitCodesAndAnExample() {
        for (CommandSpec spec : commands()) {
            String help = help(spec);
            assertThat(spec.usageMessage().header()).as(spec.qualifiedName()).isNotEmpty();
            assertThat(help).as(spec.qualifiedName()).contains("Exit codes:", "Usage: sluice");
            assertThat(help.lines().filter(l -> l.length() > 100)).as("lines over 100").isEmpty();
            if (!spec.name().equals("sluice")) {
                assertThat(help).as(spec.qualifiedName()).containsPattern("Examples?:\n +\\S");
            }
            if (spec.options().stream().anyMatch(o -> o.paramLabel().equals("TIME"))) {
                assertThat(help).contains("TIME is a number with its unit");
            }
        }
    }
}
