package dev.sluice.proxy.admission;

import dev.sluice.shared.ConfigNode;

/// How full memory may get before calls are turned away; `memory` in the configuration. Shares are
/// of the heap and of the memory for buffers, whichever is fuller.
///
/// @param shed from here on calls of priority `sheddable` are refused; the three shares must not
///   fall
/// @param stopKeepAlive from here on each response is the last on its connection
/// @param refuse from here on every call is refused
/// @param bodies bytes of request bodies held at once, of all calls together; beyond it 503
///   `bodies_full`
public record MemoryConfig(double shed, double stopKeepAlive, double refuse, long bodies) {
    public static final MemoryConfig DEFAULT = new MemoryConfig(0.85, 0.92, 0.95, 256L << 20);

    public static MemoryConfig from(ConfigNode node) {
        var config =
                new MemoryConfig(
                        node.number("shed", DEFAULT.shed, 0, 1),
                        node.number("stop_keep_alive", DEFAULT.stopKeepAlive, 0, 1),
                        node.number("refuse", DEFAULT.refuse, 0, 1),
                        node.bytes("bodies", DEFAULT.bodies));
        if (config.shed > config.stopKeepAlive || config.stopKeepAlive > config.refuse) {
            node.problem(
                    "shed",
                    "the three do not rise",
                    "write shed at most stop_keep_alive, and that at most refuse");
        }
        node.finish();
        return config;
    }
}
