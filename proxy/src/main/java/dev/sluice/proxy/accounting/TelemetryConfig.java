package dev.sluice.proxy.accounting;

import dev.sluice.shared.ConfigNode;

import org.jspecify.annotations.Nullable;

/// What is written of each call beyond meters; both off unless configured.
public record TelemetryConfig(@Nullable AccessLogConfig accessLog, @Nullable TracesConfig traces) {
    public static final TelemetryConfig OFF = new TelemetryConfig(null, null);

    /// Reads `access_log` and `traces` of the configuration's top level.
    public static TelemetryConfig from(ConfigNode top) {
        return new TelemetryConfig(AccessLogConfig.from(top), TracesConfig.from(top));
    }
}
