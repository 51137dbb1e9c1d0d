package dev.sluice.proxy.routing;

import dev.sluice.proxy.request.Refusal;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Model to pool. Any thread.
public final class Router {
    private final List<Dispatcher> pools;
    private final Map<String, String> aliases;

    /// @param aliases other names of models
    public Router(List<Dispatcher> pools, Map<String, String> aliases) {
        this.pools = List.copyOf(pools);
        this.aliases = Map.copyOf(aliases);
    }

    /// The model that the engines know under this name: the same, unless it is an alias. A call
    /// whose model changes here needs its body rewritten.
    public String resolve(String model) {
        return aliases.getOrDefault(model, model);
    }

    /// @param model resolved; empty when the call names none
    public Route route(String model) {
        for (Dispatcher dispatcher : pools) {
            if (dispatcher.pool().snapshot().models().contains(model)) {
                return new Route.To(dispatcher);
            }
        }
        if (pools.size() == 1) {
            return new Route.To(pools.getFirst());
        }
        return new Route.Nowhere(
                Refusal.invalid(
                        404,
                        "model_not_found",
                        "no pool serves model \"" + model + "\"; served: " + models(),
                        "model"));
    }

    /// Models that a healthy endpoint serves now, and aliases of those; for `/v1/models`.
    public Set<String> models() {
        var out = new TreeSet<String>();
        pools.forEach(d -> out.addAll(d.pool().snapshot().models()));
        return out;
    }
}
