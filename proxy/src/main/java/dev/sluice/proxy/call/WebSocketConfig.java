package dev.sluice.proxy.call;

import dev.sluice.shared.ConfigNode;

import java.time.Duration;

/// Limits of a WebSocket call once it is open.
///
/// @param maxMessage largest message on the wire; realtime audio comes in messages of tens of KiB
/// @param idle longest silence in both directions; pings end it
/// @param total longest connection
public record WebSocketConfig(long maxMessage, Duration idle, Duration total) {
    public static final WebSocketConfig DEFAULT =
            new WebSocketConfig(64L << 20, Duration.ofMinutes(10), Duration.ofHours(24));

    static WebSocketConfig from(ConfigNode limits, ConfigNode timeouts) {
        return new WebSocketConfig(
                limits.bytes("websocket_message", DEFAULT.maxMessage),
                timeouts.duration("websocket_idle", DEFAULT.idle),
                timeouts.duration("websocket_total", DEFAULT.total));
    }
}
