package dev.sluice.proxy.pool;

import java.util.Locale;

/// How a pool chooses among the endpoints that may serve a call.
public enum Policy {
    ROUND_ROBIN,
    WEIGHTED,
    LEAST_LOADED,
    LATENCY;

    private final String label = name().toLowerCase(Locale.ROOT);

    /// As in the configuration, in meters and in reasons: `least_loaded`.
    public String label() {
        return label;
    }
}
