package dev.sluice.cli;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.FileAppender;

import org.slf4j.LoggerFactory;

import java.nio.file.Path;

/// The log of the process. `logback.xml` says where it goes; nothing in it ever waits for a slow
/// terminal or disk: when the buffer is full, lines are lost and the event loops go on.
final class Logs {
    private Logs() {}

    /// From now on to a file instead of the terminal.
    static void toFile(Path file) {
        if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext logback)) {
            return;
        }
        var lines = LogEncoder.forPeople();
        lines.setContext(logback);
        lines.start();
        var appender = new FileAppender<ILoggingEvent>();
        appender.setContext(logback);
        appender.setFile(file.toString());
        appender.setEncoder(lines);
        appender.start();
        var async = new AsyncAppender();
        async.setContext(logback);
        async.setNeverBlock(true);
        async.addAppender(appender);
        async.start();
        Logger root = logback.getLogger(Logger.ROOT_LOGGER_NAME);
        root.detachAndStopAllAppenders();
        root.addAppender(async);
    }

    /// Writes out what is buffered. Called once, last.
    static void flush() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext logback) {
            logback.stop();
        }
    }
}
