package dev.sluice.proxy.call;

import dev.sluice.proxy.response.Decision;
import dev.sluice.shared.ConfigNode;

import java.time.Duration;

/// Limits and time-outs of one call.
///
/// @param bodyLimit `body`: largest request body; beyond it 413
/// @param replayLimit `replay`: how much of a body is kept, so that it can be sent to another
///   endpoint; a longer one is streamed. At most `body`
/// @param request longest time from a request's head to its last byte, while it is read to be
///   placed; beyond it 408
/// @param firstByte longest wait for the first byte of a streamed answer. An answer that is not
///   streamed comes whole at its end, so only `total` bounds it
/// @param firstBytePer1kTokens `first_byte_per_1k_tokens`: added to `first_byte` for each 1,000
///   prompt tokens
/// @param betweenChunks longest silence inside an answer
/// @param total longest call
/// @param totalStream longest streamed call
/// @param clientStall longest time that a client may take no bytes
/// @param webSocket limits of calls that become WebSockets
/// @param headers which headers answers carry; `minimal` leaves out `x-sluice-…`
public record CallConfig(
        long bodyLimit,
        int replayLimit,
        Duration request,
        Duration firstByte,
        Duration firstBytePer1kTokens,
        Duration betweenChunks,
        Duration total,
        Duration totalStream,
        Duration clientStall,
        WebSocketConfig webSocket,
        Decision.Detail headers) {

    public static final CallConfig DEFAULT =
            new CallConfig(
                    32L << 20,
                    1 << 20,
                    Duration.ofSeconds(120),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(60),
                    Duration.ofSeconds(600),
                    Duration.ofSeconds(3600),
                    Duration.ofSeconds(30),
                    WebSocketConfig.DEFAULT,
                    Decision.Detail.FULL);

    /// Reads `limits` and `timeouts` of the configuration's top level, and `headers`.
    public static CallConfig from(ConfigNode top) {
        ConfigNode limits = top.object("limits");
        ConfigNode timeouts = top.object("timeouts");
        long body = limits.bytes("body", DEFAULT.bodyLimit);
        long replay = limits.bytes("replay", DEFAULT.replayLimit);
        if (replay > body || replay > Integer.MAX_VALUE) {
            limits.problem("replay", "is larger than limits.body", "write at most limits.body");
            replay = body;
        }
        var config =
                new CallConfig(
                        body,
                        (int) replay,
                        timeouts.duration("request", DEFAULT.request),
                        timeouts.duration("first_byte", DEFAULT.firstByte),
                        timeouts.duration("first_byte_per_1k_tokens", DEFAULT.firstBytePer1kTokens),
                        timeouts.duration("between_chunks", DEFAULT.betweenChunks),
                        timeouts.duration("total", DEFAULT.total),
                        timeouts.duration("total_stream", DEFAULT.totalStream),
                        timeouts.duration("client_stall", DEFAULT.clientStall),
                        WebSocketConfig.from(limits, timeouts),
                        top.choice("headers", Decision.Detail.class, DEFAULT.headers));
        limits.finish();
        timeouts.finish();
        return config;
    }

    long firstByteNanos(int promptTokens) {
        return firstByte.toNanos()
                + (long) (firstBytePer1kTokens.toNanos() * (promptTokens / 1000.0));
    }
}
