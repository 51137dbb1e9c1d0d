package dev.sluice.autoscaler;

import dev.sluice.autoscaler.decision.Spec;
import dev.sluice.autoscaler.kubernetes.KubernetesConfig;
import dev.sluice.autoscaler.signal.ProxySource;
import dev.sluice.autoscaler.target.ProcessSpec;
import dev.sluice.autoscaler.target.ScaleTarget;
import dev.sluice.autoscaler.target.TargetSpec;
import dev.sluice.shared.AdminConfig;
import dev.sluice.shared.ConfigNode;
import dev.sluice.shared.ConfigSource;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// The autoscaler's file: `scalers:` is a list of what an `InferenceScaler`'s spec holds.
///
/// @param admin where its own probes and metrics are; null for nowhere
/// @param interval between two looks at the signals, 200ms to 15s
/// @param state folder in which running replicas are written down, so that the next autoscaler
///   finds them
/// @param kubernetes the cluster in which something is scaled, if any: the pod's own, or that of
///   the kubeconfig
public record AutoscalerConfig(
        @Nullable AdminConfig admin,
        Duration interval,
        Path state,
        @Nullable KubernetesConfig kubernetes,
        List<Entry> scalers) {

    /// One pool and what serves it: the spec of an `InferenceScaler`.
    ///
    /// - `target`: what is scaled: by `kind` and `name` in Kubernetes, or a `process` on this
    ///   machine
    ///
    /// @param pool the pool's name in the proxies' file
    public record Entry(String pool, TargetSpec target, ProxySource proxies, Spec spec) {

        static Entry from(ConfigNode node) {
            String pool = node.required("pool", "write the pool's name, as in the proxy's file");
            ConfigNode target = node.object("target");
            TargetSpec what = target(node, target);
            target.finish();
            ConfigNode proxies = node.object("proxies");
            ProxySource source = ProxySource.from(proxies);
            proxies.finish();
            Spec spec = Spec.from(node);
            if (what instanceof ProcessSpec process
                    && process.ports() > 0
                    && process.ports() < spec.max()) {
                node.problem(
                        "max",
                        spec.max()
                                + " is more than the "
                                + process.ports()
                                + " ports of the target",
                        "widen target.process.ports, or lower max");
            }
            return new Entry(pool, what, source, spec);
        }

        private static TargetSpec target(ConfigNode node, ConfigNode target) {
            if (target.has("process")) {
                ConfigNode process = target.object("process");
                ProcessSpec spec = ProcessSpec.from(process);
                process.finish();
                return spec;
            }
            if (!target.has("name") && !target.has("kind")) {
                node.problem(
                        "target",
                        "names nothing to scale",
                        "write target: {kind: Deployment, name: vllm} or target: {process:"
                                + " {command: [...], ports: 9001-9010}}");
                return new ScaleTarget("", "", "");
            }
            return ScaleTarget.from(target);
        }
    }

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
        KubernetesConfig kubernetes = kubernetes(root, scalers);
        if (scalers.isEmpty() && (kubernetes == null || !kubernetes.resources())) {
            root.problem(
                    "scalers",
                    "is empty",
                    "list at least one pool to scale, or write kubernetes: {} for"
                            + " InferenceScalers");
        }
        Set<String> pools = new HashSet<>();
        for (Entry e : scalers) {
            if (!pools.add(e.pool)) {
                root.problem("scalers", "two scale the pool " + e.pool, "delete one of them");
            }
        }
        return new AutoscalerConfig(admin, interval, state, kubernetes, scalers);
    }

    private static @Nullable KubernetesConfig kubernetes(ConfigNode root, List<Entry> scalers) {
        if (root.has("kubernetes")) {
            ConfigNode node = root.object("kubernetes");
            KubernetesConfig config = KubernetesConfig.from(node);
            node.finish();
            return config;
        }
        boolean needed = scalers.stream().anyMatch(e -> e.target() instanceof ScaleTarget);
        return needed ? KubernetesConfig.DEFAULT : null;
    }
}
