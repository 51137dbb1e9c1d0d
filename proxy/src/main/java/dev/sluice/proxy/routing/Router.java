package dev.sluice.proxy.routing;

import dev.sluice.proxy.pool.HealthState;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Pool;
import dev.sluice.proxy.pool.Snapshot;
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
        if (model.isEmpty()) {
            return pools.size() == 1 ? new Route.To(pools.getFirst()) : unnamed();
        }
        for (Dispatcher dispatcher : pools) {
            if (dispatcher.pool().snapshot().models().contains(model)) {
                return new Route.To(dispatcher);
            }
        }
        if (pools.size() == 1 && open(pools.getFirst().pool())) {
            return new Route.To(pools.getFirst());
        }
        return new Route.Nowhere(
                Refusal.invalid(
                        404,
                        "model_not_found",
                        "no pool serves model \"" + model + "\"; " + served(),
                        "model"));
    }

    /// Models that a usable endpoint serves now, and aliases of those; for `/v1/models`.
    public Set<String> models() {
        var out = new TreeSet<String>();
        for (Dispatcher dispatcher : pools) {
            Snapshot snapshot = dispatcher.pool().snapshot();
            if (snapshot.usable().isEmpty()) {
                continue;
            }
            out.addAll(dispatcher.pool().config().models());
            for (Member member : snapshot.usable()) {
                if (member.models() != null) {
                    out.addAll(member.models());
                }
            }
        }
        aliases.forEach(
                (alias, model) -> {
                    if (out.contains(model)) {
                        out.add(alias);
                    }
                });
        return out;
    }

    /// Whether the pool may serve models that it has not named: nothing is known yet, some endpoint
    /// is starting, or one does not say what it serves.
    private static boolean open(Pool pool) {
        return pool.config().models().isEmpty()
                && (pool.snapshot().models().isEmpty()
                        || pool.snapshot().members().stream()
                                .anyMatch(
                                        m ->
                                                m.models() == null
                                                        || m.health()
                                                                instanceof HealthState.Starting));
    }

    private Route unnamed() {
        return new Route.Nowhere(
                Refusal.invalid(
                        400,
                        "model_missing",
                        "the call names no model, and there are several pools; " + served(),
                        "model"));
    }

    private String served() {
        Set<String> models = models();
        return models.isEmpty()
                ? "no endpoint is ready, so none is served now"
                : "served: " + String.join(", ", models);
    }
}
