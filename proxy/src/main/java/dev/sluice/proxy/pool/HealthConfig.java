package dev.sluice.proxy.pool;

import dev.sluice.shared.ConfigNode;
import dev.sluice.shared.Units;

import java.time.Duration;

/// How endpoints are watched and judged; `pools[].health`.
///
/// @param path the path that is probed; unless written, the one of the engine that was detected
/// @param interval between two probes of an endpoint, ±20 %
/// @param timeout of one probe or scrape
/// @param scrapeInterval between two reads of an endpoint's metrics
/// @param staleness age at which these are no longer believed; at least 3 × `scrape_interval`,
///   which is the default
/// @param ejection first time out of rotation; doubles with each further one
/// @param maxEjection where the doubling ends
/// @param slowStart until a new or recovered endpoint has its full share
public record HealthConfig(
        String path,
        Duration interval,
        Duration timeout,
        Duration scrapeInterval,
        Duration staleness,
        Duration ejection,
        Duration maxEjection,
        Duration slowStart) {

    public static final HealthConfig DEFAULT =
            new HealthConfig(
                    "",
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(3),
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(300),
                    Duration.ofSeconds(30));

    static HealthConfig from(ConfigNode node) {
        Duration scrape = node.duration("scrape_interval", DEFAULT.scrapeInterval);
        Duration stale = scrape.multipliedBy(3);
        var config =
                new HealthConfig(
                        node.string("path", DEFAULT.path),
                        node.duration("interval", DEFAULT.interval),
                        node.duration("timeout", DEFAULT.timeout),
                        scrape,
                        node.duration("staleness", stale),
                        node.duration("ejection", DEFAULT.ejection),
                        node.duration("max_ejection", DEFAULT.maxEjection),
                        node.duration("slow_start", DEFAULT.slowStart));
        if (!config.path.isEmpty() && !config.path.startsWith("/")) {
            node.problem("path", "\"" + config.path + "\" is not a path", "write /health");
        }
        positive(node, "interval", config.interval);
        positive(node, "timeout", config.timeout);
        positive(node, "scrape_interval", config.scrapeInterval);
        positive(node, "ejection", config.ejection);
        if (config.staleness.compareTo(stale) < 0) {
            node.problem(
                    "staleness",
                    Units.show(config.staleness)
                            + " is less than 3 × scrape_interval ("
                            + Units.show(scrape)
                            + "): one late answer would make numbers stale",
                    "write at least " + Units.show(stale));
        }
        if (config.maxEjection.compareTo(config.ejection) < 0) {
            node.problem(
                    "max_ejection",
                    Units.show(config.maxEjection)
                            + " is less than ejection ("
                            + Units.show(config.ejection)
                            + ")",
                    "write at least " + Units.show(config.ejection));
        }
        node.finish();
        return config;
    }

    private static void positive(ConfigNode node, String key, Duration value) {
        if (value.compareTo(Duration.ofMillis(10)) < 0) {
            node.problem(key, Units.show(value) + " is too short", "write at least 10ms");
        }
    }
}
