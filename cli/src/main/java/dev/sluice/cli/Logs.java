package dev.sluice.cli;

import ch.qos.logback.classic.LoggerContext;

import org.slf4j.LoggerFactory;

/// The log of the process. `logback.xml` says where it goes; nothing in it ever waits for a slow
/// terminal or disk: when the buffer is full, lines are lost and the event loops go on.
final class Logs {
    private Logs() {}

    /// Writes out what is buffered. Called once, last.
    static void flush() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext logback) {
            logback.stop();
        }
    }
}
