package dev.sluice.proxy.listener;

import dev.sluice.shared.ConfigNode;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/// The data port: threads, limits on connections, and how it stops.
///
/// @param loops event loops; 0 means one per core
/// @param transport `auto` is epoll where the kernel has it, else NIO
/// @param reusePort whether a successor may have the port while this process still serves (Linux);
///   `--reuse-port` is the same
/// @param head `head_timeout`: longest time from a request's first byte to the end of its head
/// @param keepAlive how long an idle client connection is kept
/// @param minBodyRate bytes a second below which an upload is given up, measured over
///   `head_timeout`
/// @param maxConnections at once; further ones are closed on accept
/// @param maxPerAddress `max_connections_per_address`: at once from one address
/// @param maxRequests `max_requests_per_connection`: how many one connection may carry
/// @param stopAfter how long a stopping proxy still accepts, so that load balancers can notice
/// @param drain `drain_timeout`: how long running calls may take after that
/// @param tls null: the port speaks in the clear
public record ListenerConfig(
        int loops,
        Transport.Choice transport,
        boolean reusePort,
        Duration head,
        Duration keepAlive,
        long minBodyRate,
        int maxConnections,
        int maxPerAddress,
        int maxRequests,
        Duration stopAfter,
        Duration drain,
        @Nullable TlsConfig tls) {
    public static final ListenerConfig DEFAULT =
            new ListenerConfig(
                    0,
                    Transport.Choice.AUTO,
                    false,
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(75),
                    1024,
                    9_000,
                    9_000,
                    100_000,
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(60),
                    null);

    /// The sockets that the configured transport means on this machine.
    public Transport sockets() {
        return Transport.of(transport);
    }

    /// Reads `server` of the configuration, with `drain_timeout` and `tls` beside it.
    public static ListenerConfig from(ConfigNode top) {
        ConfigNode node = top.object("server");
        var config =
                new ListenerConfig(
                        node.integer("loops", DEFAULT.loops, 0, 1024),
                        node.choice("transport", Transport.Choice.class, DEFAULT.transport),
                        reusePort(node),
                        node.duration("head_timeout", DEFAULT.head),
                        node.duration("keep_alive", DEFAULT.keepAlive),
                        node.bytes("min_body_rate", DEFAULT.minBodyRate),
                        node.integer("max_connections", DEFAULT.maxConnections, 1, 10_000_000),
                        node.integer(
                                "max_connections_per_address",
                                DEFAULT.maxPerAddress,
                                1,
                                10_000_000),
                        node.integer(
                                "max_requests_per_connection",
                                DEFAULT.maxRequests,
                                1,
                                Integer.MAX_VALUE),
                        node.duration("stop_after", DEFAULT.stopAfter),
                        top.duration("drain_timeout", DEFAULT.drain),
                        TlsConfig.from(top));
        node.finish();
        return config;
    }

    /// This, with everything of `next` that can be replaced while it runs.
    public ListenerConfig reloaded(ListenerConfig next) {
        return new ListenerConfig(
                loops,
                transport,
                reusePort,
                next.head,
                next.keepAlive,
                next.minBodyRate,
                next.maxConnections,
                next.maxPerAddress,
                next.maxRequests,
                next.stopAfter,
                next.drain,
                tls);
    }

    private static boolean reusePort(ConfigNode node) {
        boolean reuse = node.bool("reuse_port", DEFAULT.reusePort);
        if (reuse
                && node.choice("transport", Transport.Choice.class, DEFAULT.transport)
                        == Transport.Choice.NIO) {
            node.problem("reuse_port", "needs epoll", "write transport: auto");
        }
        return reuse;
    }

    /// The same, with a port that a successor may have.
    public ListenerConfig reusingPort() {
        return new ListenerConfig(
                loops,
                transport,
                true,
                head,
                keepAlive,
                minBodyRate,
                maxConnections,
                maxPerAddress,
                maxRequests,
                stopAfter,
                drain,
                tls);
    }
}
