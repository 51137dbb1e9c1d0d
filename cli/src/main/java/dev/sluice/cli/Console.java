package dev.sluice.cli;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Where a command writes: results to `out`, progress and errors to `err`.
///
/// @param terminal whether a person watches `err`, so that a line may be redrawn
record Console(PrintWriter out, PrintWriter err, boolean terminal) {

    @SuppressWarnings("SystemConsoleNull") // its type still says nullable
    static Console ofProcess() {
        java.io.Console system = System.console();
        return new Console(
                new PrintWriter(System.out, true, StandardCharsets.UTF_8),
                new PrintWriter(System.err, true, StandardCharsets.UTF_8),
                system != null && system.isTerminal());
    }

    /// Writes results: the lines to `out`, and the JSON to the file that `--json` names, or alone
    /// to `out` for `-`.
    void results(List<String> lines, String text, @Nullable String json) {
        if ("-".equals(json)) {
            out.println(text);
            return;
        }
        lines.forEach(out::println);
        if (json != null) {
            file("--json", json, text + "\n");
        }
    }

    /// @param flag that named the file
    static void file(String flag, String name, String text) {
        try {
            Files.writeString(Path.of(name), text);
        } catch (IOException e) {
            throw CommandFailed.failed(flag + " " + name + ": cannot be written: " + e);
        }
    }
}
