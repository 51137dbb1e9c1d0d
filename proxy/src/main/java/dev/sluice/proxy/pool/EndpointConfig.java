package dev.sluice.proxy.pool;

import dev.sluice.shared.ConfigNode;

import org.jspecify.annotations.Nullable;

/// One endpoint as configured or registered.
///
/// @param url base address, with or without `/v1`
/// @param weight its share relative to the pool's others
public record EndpointConfig(EndpointUrl url, int weight) {
    public static final int MAX_WEIGHT = 1_000;

    /// Null when the URL is wrong, which is then on the list of problems.
    static @Nullable EndpointConfig from(ConfigNode node) {
        int weight = node.integer("weight", 1, 1, MAX_WEIGHT);
        String text = node.required("url", "write url: http://10.0.0.1:8000");
        if (text.isEmpty()) {
            return null;
        }
        try {
            return new EndpointConfig(EndpointUrl.parse(text), weight);
        } catch (IllegalArgumentException e) {
            node.problem("url", String.valueOf(e.getMessage()), "");
            return null;
        }
    }
}
