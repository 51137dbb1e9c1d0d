package dev.sluice.proxy.accounting;

import dev.sluice.shared.ConfigNode;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;

/// One line for each call. Without it there is no access log.
///
/// @param file `path`: a file, or `stdout`
/// @param queue lines that may wait to be written; what comes beyond is dropped and counted
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
