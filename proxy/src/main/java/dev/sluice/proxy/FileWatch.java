package dev.sluice.proxy;

import dev.sluice.proxy.ConfigFile.Stamp;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/// Tells when the configuration file has changed, on a virtual thread of its own.
///
/// It looks at the file four times a second rather than asking the kernel to tell: the kernel's
/// watches see neither a link's far end nor a network file system, and one look is a microsecond.
final class FileWatch implements AutoCloseable {
    private static final Duration LOOK = Duration.ofMillis(250);

    private final Thread thread;

    FileWatch(ConfigFile file, Runnable changed) {
        this.thread = Thread.ofVirtual().name("config-watch").start(() -> watch(file, changed));
    }

    @Override
    public void close() {
        thread.interrupt();
    }

    private static void watch(ConfigFile file, Runnable changed) {
        var settling = new Settling(file.opened());
        while (!Thread.currentThread().isInterrupted()) {
            try {
                Thread.sleep(LOOK);
            } catch (InterruptedException e) {
                return;
            }
            if (settling.changed(file.stamp())) {
                changed.run();
            }
        }
    }

    /// A change counts once two looks in a row saw the same: a file that is being written is not
    /// read half. A file that is gone is no change: whoever replaces it may take two steps.
    static final class Settling {
        private @Nullable Stamp known;
        private @Nullable Stamp before;

        Settling(@Nullable Stamp known) {
            this.known = known;
            this.before = known;
        }

        boolean changed(@Nullable Stamp now) {
            boolean rests = now != null && now.equals(before) && !now.equals(known);
            before = now;
            if (rests) {
                known = now;
            }
            return rests;
        }
    }
}
