package dev.sluice.autoscaler.target;

import dev.sluice.shared.AdminJson;
import dev.sluice.shared.ConfigException;
import dev.sluice.shared.ConfigProblem;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;

/// The child processes of one scaler, on disk, so that an autoscaler that was killed leaves nobody
/// behind unknown: the next one finds them here. Holds a lock, so that two never scale the same.
final class StateFile implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(StateFile.class);

    private final Path file;
    private final Path folder;
    private final FileChannel lock;
    private List<Entry> written = List.of();

    /// @param startMs when the process started, by the operating system; with the pid it names one
    ///   process for good, since pids come again
    record Entry(long pid, long startMs, int port, boolean draining, String command) {}

    private record Document(List<Entry> replicas) {}

    /// @throws ConfigException when the folder cannot be used, or another autoscaler holds it
    StateFile(Path folder, String name) {
        this.folder = folder;
        this.file = folder.resolve(name + ".json");
        try {
            Files.createDirectories(folder);
            lock =
                    FileChannel.open(
                            folder.resolve(name + ".lock"),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE);
            if (!locked(lock)) {
                lock.close();
                throw refuse(folder, "another autoscaler runs " + name, "stop it, or set state:");
            }
        } catch (IOException e) {
            throw refuse(folder, "cannot be used: " + e, "set state: to a folder of yours");
        }
    }

    /// What the last autoscaler wrote; empty after an orderly end.
    List<Entry> read() {
        try {
            return Files.exists(file)
                    ? AdminJson.answer(Files.readAllBytes(file), Document.class).replicas()
                    : List.of();
        } catch (IOException e) {
            log.warn("{} cannot be read, replicas of before stay unknown: {}", file, e.toString());
            return List.of();
        }
    }

    /// Writes them whole or not at all; nothing when nothing changed.
    void write(List<Entry> entries) {
        if (entries.equals(written)) {
            return;
        }
        Path next = folder.resolve(file.getFileName() + ".new");
        try {
            Files.write(next, AdminJson.bytes(new Document(entries)));
            Files.move(
                    next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            written = List.copyOf(entries);
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be written", e);
        }
    }

    /// Where the output of the replica on this port goes.
    Path output(int port) {
        return folder.resolve(file.getFileName().toString().replace(".json", "") + "-" + port + ".log");
    }

    @Override
    public void close() {
        try {
            lock.close();
        } catch (IOException e) {
            log.debug("lock of {}: {}", file, e.toString());
        }
    }

    private static boolean locked(FileChannel channel) throws IOException {
        try {
            FileLock held = channel.tryLock();
            return held != null;
        } catch (OverlappingFileLockException e) {
            return false; // by another scaler of this program
        }
    }

    private static ConfigException refuse(Path folder, String message, String fix) {
        return new ConfigException(
                "state folder " + folder, List.of(new ConfigProblem("state", 0, message, fix)));
    }
}
