package dev.sluice.proxy.call;

import dev.sluice.shared.ConfigNode;

import java.time.Duration;

/// Limits of a WebSocket call once it is open.
///
/// @param maxMessage `websocket_message`: largest WebSocket message, all its fragments together;
///   beyond it the connection is closed with 1009. Realtime audio comes in messages of tens of KiB
/// @param idle `websocket_idle`: longest silence of a WebSocket in both directions; pings end it
/// @param total `websocket_total`: longest WebSocket connection
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
