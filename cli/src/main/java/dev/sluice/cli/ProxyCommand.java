package dev.sluice.cli;

import dev.sluice.proxy.ConfigFile;
import dev.sluice.proxy.Proxy;
import dev.sluice.proxy.ProxyConfig;
import dev.sluice.proxy.pool.EndpointConfig;
import dev.sluice.proxy.pool.EndpointUrl;
import dev.sluice.proxy.pool.Policy;
import dev.sluice.proxy.pool.PoolConfig;
import dev.sluice.shared.AdminConfig;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;

/// `proxy`: serves until it is told to stop, then drains.
@Command(
        name = "proxy",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        header = "Runs the proxy.",
        description = {
            "",
            "Applications point their base URL at it: OPENAI_BASE_URL=http://127.0.0.1:8080/v1",
            "Ctrl-C lets running calls finish; a second ends at once. SIGTERM accepts for",
            "server.stop_after first, so that load balancers notice. SIGHUP, or a change of the",
            "file, reloads it without a cut.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sluice proxy --endpoint http://10.0.0.1:8000 --endpoint http://10.0.0.2:8000",
            "  sluice proxy --config sluice.yaml",
            "  sluice proxy --config sluice.yaml --listen 127.0.0.1:8081 --admin 127.0.0.1:9902"
        })
final class ProxyCommand implements Callable<Integer> {
    private static final Logger log = LoggerFactory.getLogger(ProxyCommand.class);

    @Option(
            names = "--config",
            paramLabel = "F",
            description = "Configuration file; docs/reference/configuration.md has every key.")
    private @Nullable Path file;

    @Option(
            names = "--endpoint",
            paramLabel = "URL",
            description = "An engine's address; repeat it. Instead of --config.")
    private List<EndpointUrl> endpoints = new ArrayList<>();

    @Option(
            names = "--policy",
            paramLabel = "P",
            description = "round_robin, weighted, least_loaded (default) or latency.")
    private @Nullable Policy policy;

    @Option(
            names = "--listen",
            paramLabel = "H:P",
            description = "Data port (default 0.0.0.0:8080).")
    private @Nullable InetSocketAddress listen;

    @Option(
            names = "--admin",
            paramLabel = "H:P",
            description = "Admin port and page (default 127.0.0.1:9901).")
    private @Nullable AdminConfig admin;

    @Option(
            names = "--reuse-port",
            description = "A successor may take the data port over without a lost call (Linux).")
    private boolean reusePort;

    @Override
    public Integer call() throws InterruptedException {
        ConfigFile from = file == null ? null : new ConfigFile(file, this::at);
        ProxyConfig config = config(from);
        StopSignal stop = StopSignal.install();
        try (Proxy proxy = Proxy.start(config, from, _ -> {})) {
            if (from != null) {
                stop.hangUp(() -> proxy.reload("SIGHUP"));
            }
            String host = config.listen().getHostString();
            log.atInfo()
                    .addKeyValue("listen", host)
                    .addKeyValue("port", proxy.port())
                    .addKeyValue("transport", proxy.transport())
                    .addKeyValue("admin", proxy.adminUrl())
                    .log(
                            "serving on {}:{} ({}), admin port and page at {}",
                            host,
                            proxy.port(),
                            proxy.transport(),
                            proxy.adminUrl());
            log.info("try: curl http://127.0.0.1:{}/v1/models", proxy.port());
            config.notes().forEach(log::warn);
            stop.await();
            log.info("stopping: running calls finish; a second signal ends at once");
            proxy.stop(!stop.wasTyped());
        } catch (IOException e) {
            throw CommandFailed.failed(String.valueOf(e.getMessage()));
        }
        log.info("stopped");
        return 0;
    }

    private ProxyConfig config(@Nullable ConfigFile from) {
        if (from == null) {
            return fromFlags();
        }
        if (!endpoints.isEmpty()) {
            throw CommandFailed.badInput(
                    "--endpoint and --config exclude each other; add the endpoint to " + file);
        }
        ProxyConfig config = from.read();
        if (policy != null) {
            throw CommandFailed.badInput(
                    "--policy goes with --endpoint; in " + file + " each pool has its own policy");
        }
        return config;
    }

    private ProxyConfig at(ProxyConfig config) {
        return (reusePort ? config.reusingPort() : config)
                .at(
                        listen == null ? config.listen() : listen,
                        admin == null
                                ? config.admin()
                                : config.admin().at(admin.host(), admin.port()));
    }

    /// One pool with every endpoint, whose models are what the engines say.
    private ProxyConfig fromFlags() {
        if (endpoints.isEmpty()) {
            throw CommandFailed.badInput(
                    "proxy needs --endpoint URL or --config FILE; with no engine at hand, try"
                            + " sluice demo");
        }
        Set<String> seen = new HashSet<>();
        for (EndpointUrl url : endpoints) {
            if (!seen.add(url.id())) {
                throw CommandFailed.badInput("--endpoint " + url + " is given twice; give it once");
            }
        }
        PoolConfig pool =
                PoolConfig.of(
                        "default",
                        policy == null ? Policy.LEAST_LOADED : policy,
                        endpoints.stream().map(url -> new EndpointConfig(url, 1)).toList());
        return at(ProxyConfig.of(List.of(pool)));
    }
}
