package dev.sluice.autoscaler.target;

import dev.sluice.shared.ConfigNode;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Replicas that are child processes on this machine.
///
/// @param command the program and its arguments; `{port}` in an argument becomes the replica's
///   port
/// @param firstPort `ports`: range that replicas listen in, one each, as `9001-9010`
/// @param lastPort included
/// @param host where they listen; also what proxies connect to
/// @param cwd the working directory; the autoscaler's own unless written
/// @param env added to the autoscaler's own environment
/// @param ready the path that answers 200 when a replica can serve
/// @param cores the cores that 100 % CPU of one replica means
/// @param grace from SIGTERM to SIGKILL
/// @param keepOnExit `onExit`: `keep` leaves replicas running when the autoscaler ends; the
///   next one adopts them
public record ProcessSpec(
        List<String> command,
        int firstPort,
        int lastPort,
        String host,
        Path cwd,
        Map<String, String> env,
        String ready,
        double cores,
        Duration grace,
        boolean keepOnExit)
        implements TargetSpec {
    private static final Pattern RANGE = Pattern.compile("(\\d{1,5})\\s*-\\s*(\\d{1,5})");

    private enum OnExit {
        STOP,
        KEEP
    }

    public static ProcessSpec from(ConfigNode node) {
        List<String> command = node.strings("command");
        if (command.isEmpty()) {
            node.problem(
                    "command", "is missing", "write command: [program, --port, \"{port}\"]");
        } else if (command.stream().noneMatch(a -> a.contains("{port}"))) {
            node.problem("command", "never says {port}", "put \"{port}\" where the port belongs");
        }
        String ports = node.required("ports", "write ports: 9001-9010");
        Matcher range = RANGE.matcher(ports.strip());
        int first = 1;
        int last = 0;
        if (range.matches()) {
            first = Integer.parseInt(range.group(1));
            last = Integer.parseInt(range.group(2));
        }
        if (!ports.isEmpty() && (first < 1 || last < first || last > 65535)) {
            node.problem("ports", "\"" + ports + "\" is not a range", "write ports: 9001-9010");
        }
        Path cwd = Path.of(node.string("cwd", ""));
        if (!Files.isDirectory(cwd.toAbsolutePath())) {
            node.problem("cwd", cwd + " is not a directory", "create it, or name another");
        }
        String ready = node.string("ready", "/health");
        if (!ready.startsWith("/")) {
            node.problem("ready", "\"" + ready + "\" is not a path", "write ready: /health");
        }
        return new ProcessSpec(
                command,
                first,
                last,
                node.string("host", "127.0.0.1"),
                cwd,
                node.map("env"),
                ready,
                node.number("cores", 1, 0.01, 4096),
                node.duration("grace", Duration.ofSeconds(10)),
                node.choice("onExit", OnExit.class, OnExit.STOP) == OnExit.KEEP);
    }

    /// How many replicas the range holds.
    public int ports() {
        return lastPort - firstPort + 1;
    }

    /// The endpoint's id at the proxies.
    String id(int port) {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
