package dev.sluice.proxy.pool;

import dev.sluice.shared.ConfigNode;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/// Where a pool's endpoints are looked for while the proxy runs, beside its list; `pools[].dns` or
/// `pools[].kubernetes`.
public sealed interface Discovery {

    /// Every address of a name is an endpoint, beside those of the list.
    ///
    /// @param name asked of the system's resolver, so search domains and `/etc/hosts` count
    /// @param port of every endpoint; must be written
    /// @param interval between two lookups, at least 100ms
    record Dns(String name, int port, Duration interval) implements Discovery {
        private static final Duration USUAL = Duration.ofSeconds(5);

        static Dns from(ConfigNode node) {
            var dns =
                    new Dns(
                            node.required("name", "write name: vllm.ml.svc"),
                            port(node),
                            node.duration("interval", USUAL));
            if (dns.interval.compareTo(Duration.ofMillis(100)) < 0) {
                node.problem("interval", "is too short", "write at least 100ms");
            }
            node.finish();
            return dns;
        }

        private static int port(ConfigNode node) {
            if (!node.has("port")) {
                node.problem("port", "is missing", "write port: 8000");
            }
            return node.integer("port", 80, 1, 65_535);
        }
    }

    /// The ready pods of a Service are endpoints, by its EndpointSlices.
    ///
    /// @param namespace of the Service
    /// @param service its name
    /// @param port the pods' port: by the name that the Service gives it, or as a number; the first
    ///   one unless written
    record Kubernetes(String namespace, String service, String port) implements Discovery {
        static Kubernetes from(ConfigNode node) {
            var kubernetes =
                    new Kubernetes(
                            node.required("namespace", "write namespace: ml"),
                            node.required("service", "write service: vllm"),
                            node.string("port", ""));
            node.finish();
            return kubernetes;
        }
    }

    /// Null when the pool has only its list.
    static @Nullable Discovery from(ConfigNode pool) {
        boolean dns = pool.has("dns");
        if (dns && pool.has("kubernetes")) {
            pool.problem("kubernetes", "stands beside dns", "write one of the two");
        }
        if (dns) {
            return Dns.from(pool.object("dns"));
        }
        return pool.has("kubernetes") ? Kubernetes.from(pool.object("kubernetes")) : null;
    }
}
