package dev.sluice.proxy.pool;

import org.jspecify.annotations.Nullable;

import java.util.Set;

/// An endpoint as the control thread last judged it.
///
/// @param use whether and how it may be picked
/// @param weight configured × slow start × health
/// @param cap exchanges it may run at once; `Integer.MAX_VALUE` without a cap
/// @param foreign what others run and queue there, as last scraped; 0 when unknown or too old
/// @param models what it says it serves; null when it does not say, which means anything
/// @param engine its kind, once detected
/// @param recent its last 10 s
public record Member(
        Endpoint endpoint,
        HealthState health,
        Use use,
        double weight,
        int cap,
        double foreign,
        @Nullable Set<String> models,
        @Nullable EngineReport engine,
        Recent recent) {

    /// Whether and how a member may be picked, best first.
    public enum Use {
        FULL,
        DEGRADED,
        /// One exchange at a time: after an ejection, or because nothing better is left.
        TRIAL,
        NONE
    }

    /// Whether a place is free, at this instant.
    public boolean free() {
        return switch (use) {
            case FULL, DEGRADED -> endpoint.inFlight() < cap;
            case TRIAL -> !endpoint.onTrial();
            case NONE -> false;
        };
    }

    public boolean serves(String model) {
        return models == null || model.isEmpty() || models.contains(model);
    }
}
