package dev.sluice.autoscaler;

import dev.sluice.autoscaler.decision.Spec;
import dev.sluice.autoscaler.signal.ProxySource;
import dev.sluice.autoscaler.target.ProcessSpec;
import dev.sluice.shared.AdminConfig;
import dev.sluice.shared.ConfigNode;
import dev.sluice.shared.ConfigSource;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The autoscaler's file: `scalers:` is a list of what an `InferenceScaler`'s spec holds.
///
/// @param admin where its own probes and metrics are; null for nowhere
/// @param interval between two looks at the signals
/// @param state the folder where running children are written down
public record AutoscalerConfig(
        @Nullable AdminConfig admin, Duration interval, Path state, List<Entry> scalers) {

    /// One pool and what serves it.
    public record Entry(String pool, ProcessSpec process, ProxySource proxies, Spec spec) {

        static Entry from(ConfigNode node) {
            String pool = node.required("pool", "write the pool's name, as in the proxy's file");
            ConfigNode target = node.object("target");
            ProcessSpec process = process(node, target);
            ConfigNode proxies = node.object("proxies");
            ProxySource source = ProxySource.from(proxies);
            proxies.finish();
            Spec spec = Spec.from(node);
            if (process.ports() > 0 && process.ports() < spec.max()) {
                node.problem(
                        "max",
                        spec.max()
                                + " is more than the "
                                + process.ports()
                                + " ports of the target",
                        "widen target.process.ports, or lower max");
            }
            return new Entry(pool, process, source, spec);
        }

        private static ProcessSpec process(ConfigNode node, ConfigNode target) {
            boolean kind = target.has("kind");
            boolean kubernetes = target.has("name") || kind;
            if (kubernetes) {
                node.problem(
                        "target",
                        "kind and name need the Kubernetes target, which comes with the chart and"
                                + " is not in this version",
                        "write target: {process: {command: [...], ports: 9001-9010}}");
            } else if (!target.has("process")) {
                node.problem(
                        "target",
                        "names nothing to scale",
                        "write target: {process: {command: [...], ports: 9001-9010}}");
            }
            if (!target.has("process")) {
                target.finish();
                return NO_PROCESS;
            }
            ConfigNode process = target.object("process");
            ProcessSpec spec = ProcessSpec.from(process);
            process.finish();
            target.finish();
            return spec;
        }
    }

    /// Stands in while problems are collected; a file with problems is never run.
    private static final ProcessSpec NO_PROCESS =
            new ProcessSpec(
                    List.of(), 1, 0, "", Path.of(""), Map.of(), "/", 1, Duration.ZERO, false);

    /// @throws dev.sluice.shared.ConfigException with all problems
    public static AutoscalerConfig read(Path file) {
        return ConfigSource.read(file, AutoscalerConfig::from);
    }

    public static AutoscalerConfig from(ConfigNode root) {
        AdminConfig admin = root.has("admin") ? AdminConfig.from(root, "127.0.0.1:9902") : null;
        Duration interval = root.duration("interval", Duration.ofSeconds(2));
        if (interval.compareTo(Duration.ofMillis(200)) < 0
                || interval.compareTo(Duration.ofSeconds(15)) > 0) {
            root.problem("interval", "is out of range", "write 200ms to 15s");
        }
        String home = System.getProperty("user.home", ".");
        Path state = Path.of(root.string("state", home + "/.local/state/sluice"));
        List<Entry> scalers = root.objects("scalers", Entry::from);
        if (scalers.isEmpty()) {
            root.problem("scalers", "is empty", "list at least one pool to scale");
        }
        Set<String> pools = new HashSet<>();
        for (Entry e : scalers) {
            if (!pools.add(e.pool)) {
                root.problem("scalers", "two scale the pool " + e.pool, "delete one of them");
            }
        }
        return new AutoscalerConfig(admin, interval, state, scalers);
    }
}
