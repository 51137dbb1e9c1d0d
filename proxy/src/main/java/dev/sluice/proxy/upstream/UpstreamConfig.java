package dev.sluice.proxy.upstream;

import dev.sluice.shared.ConfigNode;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/// Connections to endpoints.
///
/// @param connectTimeout for one connection, TLS included
/// @param idle how long an unused connection is kept; below the 5 s after which vLLM and llama.cpp
///   close theirs
/// @param maxIdle kept per endpoint and event loop
/// @param forwardCredentials whether the client's own credentials go on to the engine
/// @param tls for https endpoints; null: the JDK's own trust
public record UpstreamConfig(
        Duration connectTimeout,
        Duration idle,
        int maxIdle,
        boolean forwardCredentials,
        @Nullable UpstreamTls tls) {
    public static final UpstreamConfig DEFAULT =
            new UpstreamConfig(Duration.ofSeconds(1), Duration.ofSeconds(4), 256, false, null);

    public static UpstreamConfig from(ConfigNode node) {
        var config =
                new UpstreamConfig(
                        node.duration("connect_timeout", DEFAULT.connectTimeout),
                        node.duration("idle", DEFAULT.idle),
                        node.integer("max_idle", DEFAULT.maxIdle, 0, 10_000),
                        node.bool("forward_credentials", DEFAULT.forwardCredentials),
                        UpstreamTls.from(node));
        node.finish();
        return config;
    }
}
