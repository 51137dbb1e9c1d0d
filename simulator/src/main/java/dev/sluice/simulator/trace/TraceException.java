package dev.sluice.simulator.trace;

import java.io.IOException;

/// A trace that cannot be read: the file, the line, what is wrong and what to write instead.
public final class TraceException extends IOException {
    private static final long serialVersionUID = 1L;

    TraceException(String file, int line, String message, String fix) {
        super(file + (line > 0 ? ": line " + line : "") + ": " + message + " (" + fix + ")");
    }
}
