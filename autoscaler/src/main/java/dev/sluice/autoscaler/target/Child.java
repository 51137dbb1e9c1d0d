package dev.sluice.autoscaler.target;

import dev.sluice.autoscaler.signal.Replicas.Replica;
import dev.sluice.autoscaler.signal.Replicas.State;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// One child process, from its start to its end, with what is known of it. One thread.
final class Child {
    enum Phase {
        STARTING,
        READY,
        /// Finishes its calls.
        DRAINING,
        /// Was told to end.
        STOPPING,
        /// Died unasked; starts again at {@link Child#retryAtMs}.
        CRASHED
    }

    /// Waits for a line before it becomes the command, under the same pid; the line's end, as when
    /// the autoscaler dies, ends it instead.
    private static final List<String> HELD =
            List.of("/bin/sh", "-c", "read -r run && exec \"$@\"", "replica");

    /// CPU over less than this is noise: the system counts in steps of 10 ms.
    private static final long CPU_STEP_MS = 900;

    final int port;
    final String id;
    final URI url;
    final Set<URI> toldToDrain = new HashSet<>();
    Phase phase = Phase.STARTING;
    long sinceMs;
    long startedMs;
    long retryAtMs;
    int crashes;
    int missedProbes;

    /// Whether a proxy may know it: then it drains before it ends.
    boolean announced;

    /// Whether this program started it, and its first readiness is still to come.
    boolean coldStart = true;

    /// Started by another configuration; goes when drained, and does not come back.
    boolean unwanted;

    String lastEnd = "";
    private @Nullable Process process;
    private @Nullable ProcessHandle handle;
    private long firstStartedMs;
    private long cpuNanos;
    private long cpuAtMs;
    private @Nullable Double cpu;

    Child(ProcessSpec spec, int port) {
        this.port = port;
        this.id = spec.id(port);
        this.url = URI.create("http://" + id);
    }

    /// Starts the process, which does nothing before {@link #run}; what it prints goes to the file.
    void start(ProcessSpec spec, Path output, long nowMs) throws IOException {
        var command = new ArrayList<>(HELD);
        spec.command().forEach(a -> command.add(a.replace("{port}", Integer.toString(port))));
        var builder =
                new ProcessBuilder(command)
                        .directory(spec.cwd().toAbsolutePath().toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile());
        builder.environment().putAll(spec.env());
        process = builder.start();
        handle = process.toHandle();
        startedMs = nowMs;
        coldStart = true;
        firstStartedMs = firstStartedMs == 0 ? nowMs : firstStartedMs;
        enter(Phase.STARTING, nowMs);
    }

    /// Lets the started process become the replica.
    void run() {
        if (process == null) {
            return;
        }
        try {
            OutputStream input = process.getOutputStream();
            input.write('\n');
            input.flush();
        } catch (IOException e) {
            // it has ended already, which the next look finds
        }
    }

    /// Takes over a process that an earlier autoscaler started.
    void adopt(ProcessHandle running, long nowMs) {
        handle = running;
        startedMs = nowMs;
        firstStartedMs = nowMs;
        coldStart = false;
        announced = true;
        enter(Phase.STARTING, nowMs);
    }

    void enter(Phase next, long nowMs) {
        phase = next;
        sinceMs = nowMs;
        missedProbes = 0;
        cpuAtMs = 0;
        cpu = null;
    }

    /// Of a process that this program started it asks the process: its handle says that it is gone
    /// a moment before the exit code is known.
    boolean alive() {
        return process == null ? handle != null && handle.isAlive() : process.isAlive();
    }

    void terminate() {
        if (handle != null) {
            handle.destroy();
        }
    }

    void kill() {
        if (handle != null) {
            handle.descendants().forEach(ProcessHandle::destroyForcibly);
            handle.destroyForcibly();
        }
    }

    /// `exit code 1: last line that it printed`.
    String describeEnd(Path output) {
        String code = process == null ? "ended" : "exit code " + process.exitValue();
        try {
            List<String> lines =
                    Files.readString(output).lines().filter(l -> !l.isBlank()).toList();
            return lines.isEmpty() ? code : code + ": " + lines.getLast();
        } catch (IOException e) {
            return code;
        }
    }

    /// CPU since the last look, with that of its own children, as share of the cores it may use.
    void measureCpu(double cores, long nowMs) {
        if (handle == null || (cpuAtMs != 0 && nowMs - cpuAtMs < CPU_STEP_MS)) {
            return;
        }
        long total =
                cpuNanos(handle) + handle.descendants().mapToLong(Child::cpuNanos).sum();
        if (cpuAtMs != 0) {
            cpu = Math.max(0, total - cpuNanos) / (cores * (nowMs - cpuAtMs) * 1e6);
        }
        cpuNanos = total;
        cpuAtMs = nowMs;
    }

    /// As the decision sees it.
    Replica replica() {
        return switch (phase) {
            case STARTING ->
                    new Replica(id, State.STARTING, announced ? sinceMs : firstStartedMs, null);
            case READY -> new Replica(id, State.READY, sinceMs, cpu);
            case DRAINING, STOPPING -> new Replica(id, State.DRAINING, sinceMs, null);
            case CRASHED -> new Replica(id, State.CRASHED, firstStartedMs, null);
        };
    }

    StateFile.@Nullable Entry entry(ProcessSpec spec) {
        if (handle == null || !handle.isAlive()) {
            return null;
        }
        boolean going = phase == Phase.DRAINING || phase == Phase.STOPPING;
        return new StateFile.Entry(
                handle.pid(), startMs(handle), port, going, String.join(" ", spec.command()));
    }

    static long startMs(ProcessHandle handle) {
        return handle.info().startInstant().map(i -> i.toEpochMilli()).orElse(0L);
    }

    private static long cpuNanos(ProcessHandle handle) {
        return handle.info().totalCpuDuration().orElse(Duration.ZERO).toNanos();
    }
}
