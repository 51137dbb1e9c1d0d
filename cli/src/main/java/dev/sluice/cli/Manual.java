package dev.sluice.cli;

import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What every command's `--help` has, so that no command has to repeat it: how times are written,
/// and the exit codes.
final class Manual {
    private static final Map<String, String> CODES = new LinkedHashMap<>();

    static {
        CODES.put("0", "done");
        CODES.put("1", "failed");
        CODES.put("2", "bad input: the message names the flag or the line, and the fix");
    }

    private Manual() {}

    /// Completes a command and those under it.
    static void complete(CommandLine line) {
        CommandSpec spec = line.getCommandSpec();
        UsageMessageSpec usage = spec.usageMessage();
        if (spec.options().stream().anyMatch(option -> option.paramLabel().equals("TIME"))) {
            List<String> footer = new ArrayList<>(Arrays.asList(usage.footer()));
            footer.addFirst("TIME is a number with its unit: 500ms, 30s, 5m, 2h.");
            footer.addFirst("");
            usage.footer(footer.toArray(String[]::new));
        }
        boolean parameters = !spec.positionalParameters().isEmpty();
        usage.synopsisHeading("Usage: ").parameterListHeading("Parameters:%n");
        usage.optionListHeading((parameters ? "%n" : "") + "Flags:%n");
        usage.commandListHeading("%nCommands:%n");
        if (usage.exitCodeList().isEmpty()) {
            usage.exitCodeList(CODES);
        }
        usage.exitCodeListHeading("%nExit codes:%n");
        line.getSubcommands().values().forEach(Manual::complete);
    }
}
