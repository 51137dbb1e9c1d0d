package dev.sluice.proxy.pool;

import dev.sluice.shared.ConfigNode;
import dev.sluice.shared.Units;

import java.time.Duration;

/// Bounds of a pool's queue.
///
/// @param depth calls that may wait at once
/// @param bytes of their bodies together
/// @param deadline longest wait while endpoints exist
/// @param hold whether calls are held while no endpoint could serve them: for pools that scale from
///   zero
/// @param coldStart longest wait of a held call; at least `deadline`
public record QueueConfig(
        int depth, long bytes, Duration deadline, boolean hold, Duration coldStart) {

    public static final QueueConfig DEFAULT =
            new QueueConfig(
                    1_024, 256L << 20, Duration.ofSeconds(30), false, Duration.ofSeconds(300));

    static QueueConfig from(ConfigNode node) {
        var config =
                new QueueConfig(
                        node.integer("depth", DEFAULT.depth, 0, 1_000_000),
                        node.bytes("bytes", DEFAULT.bytes),
                        node.duration("deadline", DEFAULT.deadline),
                        node.bool("hold", DEFAULT.hold),
                        node.duration("cold_start", DEFAULT.coldStart));
        if (config.hold && config.coldStart.compareTo(config.deadline) < 0) {
            node.problem(
                    "cold_start",
                    Units.show(config.coldStart)
                            + " is less than deadline ("
                            + Units.show(config.deadline)
                            + ")",
                    "write at least " + Units.show(config.deadline));
        }
        node.finish();
        return config;
    }
}
