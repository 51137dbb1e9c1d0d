package dev.sluice.proxy.accounting;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/// Writes one JSON line for each call. An event loop only puts the call's record into a bounded
/// queue; a thread of its own makes the line and writes it, and a slow disk or terminal costs lines
/// (which are counted), never time of a call.
final class AccessLog implements CallObserver, AutoCloseable {
    private static final long FOLLOW_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Backlog<CallRecord> backlog;

    /// @throws IOException when the file cannot be opened
    AccessLog(AccessLogConfig config) throws IOException {
        this.backlog =
                new Backlog<>(
                        "access-log", config.queue(), new Writing(new LogFile(config.file())));
    }

    @Override
    public void ended(CallRecord call) {
        backlog.offer(call);
    }

    /// Lines lost because the queue was full or the file could not be written.
    long dropped() {
        return backlog.dropped();
    }

    @Override
    public void close() {
        backlog.close();
    }

    private static final class Writing implements Backlog.Work<CallRecord> {
        private final LogFile file;
        private final LogLine line = new LogLine();
        private long followed = System.nanoTime();

        Writing(LogFile file) {
            this.file = file;
        }

        @Override
        public void item(CallRecord call) throws IOException {
            line.write(call, file.out());
        }

        @Override
        public void pause() throws IOException {
            file.flush();
            long now = System.nanoTime();
            if (now - followed >= FOLLOW_NANOS) {
                followed = now;
                file.follow();
            }
        }

        @Override
        public void end() throws IOException {
            file.close();
        }
    }
}
