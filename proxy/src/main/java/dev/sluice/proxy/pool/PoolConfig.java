package dev.sluice.proxy.pool;

import dev.sluice.shared.ConfigNode;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Interchangeable endpoints for a model; an entry of `pools`.
///
/// @param name in meters, logs and the admin API
/// @param models the models that it serves; without any, what the endpoints' `/v1/models` say
/// @param policy how an endpoint is picked
/// @param weights where `weighted` takes its weights from; `live`: goodput by live figures
/// @param endpoints known at start; more can be registered at run time or found by `dns` or
///   `kubernetes`
/// @param cap calls that one endpoint runs at once; beyond it calls wait in the pool's queue.
///   `engine`: what the engine reports as its slots; `none`: no limit
/// @param discovery where more are looked for; null: nowhere
public record PoolConfig(
        String name,
        List<String> models,
        Policy policy,
        Weights weights,
        List<EndpointConfig> endpoints,
        Cap cap,
        HealthConfig health,
        QueueConfig queue,
        @Nullable Discovery discovery) {

    /// Where the `weighted` policy takes its weights from.
    public enum Weights {
        CONFIGURED,
        /// Goodput: throughput × (1 − error rate).
        LIVE
    }

    /// How many exchanges one endpoint may run at once.
    public sealed interface Cap {
        record None() implements Cap {}

        record Fixed(int slots) implements Cap {}

        /// What the engine reports as its slots; none where it reports nothing.
        record Engine() implements Cap {}
    }

    /// A pool with defaults, as made by `--endpoint` flags.
    public static PoolConfig of(String name, Policy policy, List<EndpointConfig> endpoints) {
        return new PoolConfig(
                name,
                List.of(),
                policy,
                Weights.CONFIGURED,
                endpoints,
                new Cap.None(),
                HealthConfig.DEFAULT,
                QueueConfig.DEFAULT,
                null);
    }

    public static PoolConfig from(ConfigNode node) {
        String name = node.required("name", "write name: llama");
        Policy policy = node.choice("policy", Policy.class, Policy.LEAST_LOADED);
        Weights weights = node.choice("weights", Weights.class, Weights.CONFIGURED);
        if (weights == Weights.LIVE && policy != Policy.WEIGHTED) {
            node.problem(
                    "weights",
                    "live weights have no effect on policy " + policy.label(),
                    "write policy: weighted, or leave weights out");
        }
        return new PoolConfig(
                name,
                List.copyOf(node.strings("models")),
                policy,
                weights,
                endpoints(node),
                cap(node),
                HealthConfig.from(node.object("health")),
                QueueConfig.from(node.object("queue")),
                Discovery.from(node));
    }

    private static List<EndpointConfig> endpoints(ConfigNode node) {
        List<@Nullable EndpointConfig> read = node.objects("endpoints", EndpointConfig::from);
        var out = new ArrayList<EndpointConfig>();
        Map<String, Integer> seen = new HashMap<>();
        for (int i = 0; i < read.size(); i++) {
            EndpointConfig endpoint = read.get(i);
            if (endpoint == null) {
                continue;
            }
            Integer first = seen.putIfAbsent(endpoint.url().id(), i);
            if (first == null) {
                out.add(endpoint);
                continue;
            }
            node.problem(
                    "endpoints[" + i + "].url",
                    endpoint.url().id() + " is already endpoints[" + first + "]",
                    "remove it; to send it more, give the first a weight");
        }
        return List.copyOf(out);
    }

    private static Cap cap(ConfigNode node) {
        String text = node.string("cap", "none");
        return switch (text) {
            case "none" -> new Cap.None();
            case "engine" -> new Cap.Engine();
            default -> {
                int slots = node.integer("cap", 0, 1, 1_000_000);
                yield slots == 0 ? new Cap.None() : new Cap.Fixed(slots);
            }
        };
    }
}
