package dev.sluice.proxy.accounting;

import dev.sluice.shared.ConfigNode;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;

/// One line for each call; `access_log` in the configuration.
///
/// @param file null for the standard output
/// @param queue calls that may wait to be written; what comes beyond is dropped and counted
public record AccessLogConfig(@Nullable Path file, int queue) {
    private static final int QUEUE = 16_384;

    /// @return null when no log is wanted
    static @Nullable AccessLogConfig from(ConfigNode top) {
        if (!top.has("access_log")) {
            return null;
        }
        ConfigNode node = top.object("access_log");
        String path = node.required("path", "write path: stdout, or a file");
        var config =
                new AccessLogConfig(
                        path.equals("stdout") ? null : Path.of(path),
                        node.integer("queue", QUEUE, 64, 1 << 22));
        node.finish();
        return config;
    }
}
