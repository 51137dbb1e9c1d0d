package dev.sluice.proxy.accounting;

import org.jspecify.annotations.Nullable;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;

/// A file that lines are appended to, opened again once it was renamed or removed, as log rotation
/// does; or the standard output. One thread.
final class LogFile implements AutoCloseable {
    private static final int BUFFER = 64 * 1024;

    private final @Nullable Path path;
    private @Nullable OutputStream out;
    private @Nullable Object key;

    /// @param path null for the standard output
    LogFile(@Nullable Path path) throws IOException {
        this.path = path;
        open();
    }

    private OutputStream open() throws IOException {
        OutputStream opened;
        if (path == null) {
            opened = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), BUFFER);
        } else {
            opened = new BufferedOutputStream(new FileOutputStream(path.toFile(), true), BUFFER);
            key = key(path);
        }
        out = opened;
        return opened;
    }

    /// Where to write, buffered.
    OutputStream out() throws IOException {
        OutputStream now = out;
        return now == null ? open() : now;
    }

    void flush() throws IOException {
        if (out != null) {
            out.flush();
        }
    }

    /// Looks whether the path still names the open file; if not, opens it anew.
    void follow() throws IOException {
        if (path != null && out != null && !Objects.equals(key, key(path))) {
            close();
        }
    }

    /// What the file system calls the file; null when there is none.
    private static @Nullable Object key(Path path) throws IOException {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    @Override
    public void close() throws IOException {
        OutputStream now = out;
        out = null;
        if (now == null) {
            return;
        }
        if (path == null) {
            now.flush();
        } else {
            now.close();
        }
    }
}
