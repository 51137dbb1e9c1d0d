package dev.sluice.cli;

import dev.sluice.simulator.trace.TraceCall;
import dev.sluice.simulator.trace.TraceException;
import dev.sluice.simulator.trace.TraceFile;

import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// The flag of every command that reads a trace.
final class TraceOption {
    @Option(names = "--trace", required = true, paramLabel = "F", description = "The trace.")
    private Path file = Path.of("");

    /// The file's name without its folders.
    String name() {
        return String.valueOf(file.getFileName());
    }

    List<TraceCall> read() {
        try {
            return TraceFile.read(file);
        } catch (TraceException e) {
            throw CommandFailed.badInput(String.valueOf(e.getMessage()));
        } catch (IOException e) {
            throw CommandFailed.badInput("--trace " + file + ": cannot be read: " + e);
        }
    }
}
