package dev.sluice.proxy;

import dev.sluice.proxy.accounting.TelemetryConfig;
import dev.sluice.proxy.admission.KeyConfig;
import dev.sluice.proxy.admission.MemoryConfig;
import dev.sluice.proxy.call.CallConfig;
import dev.sluice.proxy.listener.ListenerConfig;
import dev.sluice.proxy.pool.PoolConfig;
import dev.sluice.proxy.upstream.UpstreamConfig;
import dev.sluice.shared.AdminConfig;
import dev.sluice.shared.ConfigNode;
import dev.sluice.shared.ConfigSource;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Everything that a proxy is told, from one file or from flags.
///
/// @param listen data port; `:8080` means every address. It speaks HTTP/1.1, and HTTP/2 by prior
///   knowledge
/// @param aliases other names of models: `{gpt-4o: llama-3.1-8b}`
/// @param keys callers; without any, everybody may call
public record ProxyConfig(
        InetSocketAddress listen,
        AdminConfig admin,
        List<PoolConfig> pools,
        Map<String, String> aliases,
        List<KeyConfig> keys,
        CallConfig calls,
        ListenerConfig listener,
        UpstreamConfig upstream,
        MemoryConfig memory,
        TelemetryConfig telemetry) {
    public static final String DEFAULT_ADMIN = "127.0.0.1:9901";
    public static final InetSocketAddress DEFAULT_LISTEN = new InetSocketAddress("0.0.0.0", 8080);

    /// @throws dev.sluice.shared.ConfigException with every problem
    public static ProxyConfig read(Path file) {
        return ConfigSource.read(file, ProxyConfig::from);
    }

    public static ProxyConfig from(ConfigNode node) {
        List<PoolConfig> pools = node.objects("pools", PoolConfig::from);
        checkPools(node, pools);
        return new ProxyConfig(
                node.address("listen", DEFAULT_LISTEN),
                AdminConfig.from(node, DEFAULT_ADMIN),
                List.copyOf(pools),
                aliases(node),
                KeyConfig.list(node),
                CallConfig.from(node),
                ListenerConfig.from(node),
                UpstreamConfig.from(node.object("upstream")),
                MemoryConfig.from(node.object("memory")),
                TelemetryConfig.from(node));
    }

    /// What is allowed and yet may not be meant; a sentence each.
    public List<String> notes() {
        return pools.stream()
                .filter(pool -> pool.endpoints().isEmpty() && pool.discovery() == null)
                .map(
                        pool ->
                                "pool "
                                        + pool.name()
                                        + " names no endpoint and looks for none: its calls wait"
                                        + " until an autoscaler registers one; else give it"
                                        + " endpoints:, dns: or kubernetes:")
                .toList();
    }

    /// Reads text that somebody sent: the files and variables that it may name are those that the
    /// file of this proxy names.
    ///
    /// @throws dev.sluice.shared.ConfigException with every problem
    static ProxyConfig parse(String text, Path running) {
        return ConfigSource.parseLike("the request", text, running, ProxyConfig::from);
    }

    /// The defaults, with these pools.
    public static ProxyConfig of(List<PoolConfig> pools) {
        return new ProxyConfig(
                DEFAULT_LISTEN,
                AdminConfig.parse(DEFAULT_ADMIN, null),
                pools,
                Map.of(),
                List.of(),
                CallConfig.DEFAULT,
                ListenerConfig.DEFAULT,
                UpstreamConfig.DEFAULT,
                MemoryConfig.DEFAULT,
                TelemetryConfig.OFF);
    }

    /// The same at other addresses.
    public ProxyConfig at(InetSocketAddress listen, AdminConfig admin) {
        return new ProxyConfig(
                listen, admin, pools, aliases, keys, calls, listener, upstream, memory, telemetry);
    }

    /// The same, with a data port that a successor may have.
    public ProxyConfig reusingPort() {
        return new ProxyConfig(
                listen,
                admin,
                pools,
                aliases,
                keys,
                calls,
                listener.reusingPort(),
                upstream,
                memory,
                telemetry);
    }

    /// This, with everything of `next` that can be replaced while it runs. What differs still needs
    /// a restart.
    public ProxyConfig reloaded(ProxyConfig next) {
        return new ProxyConfig(
                listen,
                admin,
                next.pools,
                next.aliases,
                next.keys,
                next.calls,
                listener.reloaded(next.listener),
                upstream,
                next.memory,
                telemetry);
    }

    private static void checkPools(ConfigNode node, List<PoolConfig> pools) {
        if (pools.isEmpty()) {
            node.problem(
                    "pools",
                    "no pool is configured",
                    "write pools: [{name: llama, endpoints: [{url: http://127.0.0.1:8000}]}]");
        }
        Map<String, Integer> names = new HashMap<>();
        Map<String, String> models = new HashMap<>();
        for (int i = 0; i < pools.size(); i++) {
            PoolConfig pool = pools.get(i);
            Integer first = names.putIfAbsent(pool.name(), i);
            if (first != null) {
                node.problem(
                        "pools[" + i + "].name",
                        "\"" + pool.name() + "\" is already pools[" + first + "]",
                        "give each pool its own name");
            }
            for (String model : pool.models()) {
                String other = models.putIfAbsent(model, pool.name());
                if (other != null && !other.equals(pool.name())) {
                    node.problem(
                            "pools[" + i + "].models",
                            "model \"" + model + "\" is already served by pool " + other,
                            "name it in one pool");
                }
            }
        }
    }

    private static Map<String, String> aliases(ConfigNode node) {
        Map<String, String> aliases = node.map("aliases");
        aliases.forEach(
                (alias, model) -> {
                    if (aliases.containsKey(model)) {
                        node.problem(
                                "aliases." + alias,
                                "\"" + model + "\" is itself an alias",
                                "name the engine's model");
                    }
                });
        return Map.copyOf(aliases);
    }
}
