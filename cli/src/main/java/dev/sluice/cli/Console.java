package dev.sluice.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

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
}
