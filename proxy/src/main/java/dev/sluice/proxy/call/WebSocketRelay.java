package dev.sluice.proxy.call;

import dev.sluice.proxy.http.ResponseHead;
import dev.sluice.proxy.http.Violation;
import dev.sluice.proxy.http.WebSocketFraming;
import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.upstream.Exchange;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/// An open WebSocket: frames in two directions, until one of the two sides closes.
///
/// Frames pass as they came; {@link WebSocketHalf} keeps count of where they end, so that Sluice
/// can put a close frame of its own between two of them: when the proxy stops (1001), when the
/// engine dies (1011), when a side breaks the protocol (1002) or sends too much (1009).
///
/// Methods that may end it say how it ended, or null while it goes on; after that the call cancels
/// the exchange and calls {@link #release}. Event loop only.
final class WebSocketRelay {
    /// From one side's close frame to the end of the connection.
    private static final long CLOSING_NANOS = TimeUnit.SECONDS.toNanos(5);

    /// A stopping proxy closes connections that have been silent for so long: between two answers
    /// rather than inside one.
    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Client client;
    private final Channel channel;
    private final Exchange engine;
    private final WebSocketConfig limits;
    private final long stallNanos;
    private final WebSocketHalf up;
    private final WebSocketHalf down;

    private @Nullable Violation fault;
    private AttemptResult result = AttemptResult.OK;
    private long lastBytes;
    private long engineStalledSince;
    private long clientStalledSince;
    private long closeBy;

    /// @param channel of the client
    /// @param answer the engine's 101
    /// @param stallNanos longest time that either side may take no bytes
    WebSocketRelay(
            Client client,
            Channel channel,
            Exchange engine,
            ResponseHead answer,
            WebSocketConfig limits,
            long stallNanos,
            long now) {
        this.client = client;
        this.channel = channel;
        this.engine = engine;
        this.limits = limits;
        this.stallNanos = stallNanos;
        this.lastBytes = now;
        boolean extensions = answer.fields().value("sec-websocket-extensions") != null;
        this.up = half(new WebSocketFraming(true, extensions, limits.maxMessage()));
        this.down = half(new WebSocketFraming(false, extensions, limits.maxMessage()));
    }

    private WebSocketHalf half(WebSocketFraming framing) {
        return new WebSocketHalf(framing, channel.alloc());
    }

    /// How an open WebSocket ended.
    ///
    /// @param result what it says of the engine
    /// @param broken whether the engine failed in the middle
    /// @param reason of what Sluice did on its own accord; empty when the sides closed by
    ///   themselves
    record End(AttemptResult result, boolean broken, String reason) {}

    // ---- frames, from the client

    /// Takes the buffer's reference over.
    @Nullable End fromClient(ByteBuf part, long now) {
        lastBytes = now;
        ByteBuf pass = up.pass(part);
        if (pass != null) {
            engine.write(pass);
        }
        Violation wrong = up.violation();
        if (wrong != null && fault == null) {
            return clientBroke(wrong, now);
        }
        if (up.closed()) {
            closeSoon(now);
        }
        return null;
    }

    /// What came before the fault has gone to the engine, and its answers still reach the client;
    /// the engine is told to close, and its own close frame then ends the connection.
    private @Nullable End clientBroke(Violation wrong, long now) {
        fault = wrong;
        result = AttemptResult.CLIENT_ERROR;
        if (closeEngine(wrong.status(), wrong.message())) {
            closeSoon(now);
            return null;
        }
        return leave(wrong.status(), wrong.message(), "websocket_fault");
    }

    void engineWritable(boolean writable, long now) {
        engineStalledSince = writable ? 0 : now;
        client.read(writable);
    }

    // ---- frames, from the engine

    /// Bytes came, of either side or of the head's buffer.
    void active(long now) {
        lastBytes = now;
    }

    /// Takes the buffer's reference over.
    @Nullable End fromEngine(ByteBuf in, long now) {
        boolean before = down.closed();
        ByteBuf pass = down.pass(in);
        if (pass != null) {
            channel.write(pass, channel.voidPromise());
        }
        Violation wrong = down.violation();
        if (wrong != null) {
            return engineBroke(wrong);
        }
        if (down.closed() && !before) {
            if (closeBy == 0) {
                result = onClose(down.closeCode());
            }
            closeSoon(now);
        }
        return null;
    }

    /// What it says of the engine that it closes with this code, unasked.
    private static AttemptResult onClose(int code) {
        return switch (code) {
            case WebSocketFraming.INTERNAL_ERROR -> AttemptResult.SERVER_ERROR;
            case WebSocketFraming.TRY_AGAIN_LATER -> AttemptResult.OVERLOADED;
            default -> AttemptResult.OK;
        };
    }

    private End engineBroke(Violation wrong) {
        closeEngine(wrong.status(), wrong.message());
        boolean tooBig = wrong.status() == WebSocketFraming.TOO_BIG;
        return broken(
                tooBig ? AttemptResult.CLIENT_ERROR : AttemptResult.PROTOCOL_ERROR,
                tooBig ? WebSocketFraming.TOO_BIG : WebSocketFraming.INTERNAL_ERROR,
                "the endpoint sent " + wrong.message());
    }

    void clientWritable(boolean writable, long now) {
        clientStalledSince = writable ? 0 : now;
    }

    // ---- the engine's connection ends

    End engineEnded() {
        return closeBy != 0
                ? closed()
                : engineFailed(
                        AttemptResult.TRUNCATED,
                        "the endpoint closed the connection without a close frame");
    }

    End engineFailed(AttemptResult how, String why) {
        return broken(how, WebSocketFraming.INTERNAL_ERROR, why);
    }

    private End broken(AttemptResult how, int code, String why) {
        closeClient(code, why);
        return new End(how, true, "stream_broken");
    }

    // ---- time, drain, and clients that leave

    /// @param since when the call began
    /// @param stopping whether the proxy stops
    @Nullable End tick(long now, long since, boolean stopping) {
        if (closeBy != 0 && now - closeBy > 0) {
            return closed();
        }
        if (clientStalledSince != 0 && now - clientStalledSince > stallNanos) {
            client.close();
            return null;
        }
        if (engineStalledSince != 0 && now - engineStalledSince > stallNanos) {
            return engineFailed(AttemptResult.STALLED, "the endpoint takes no bytes");
        }
        int away = WebSocketFraming.GOING_AWAY;
        if (now - lastBytes > limits.idle().toNanos()) {
            return leave(away, "idle for " + limits.idle().toSeconds() + " s", "idle_timeout");
        }
        if (now - since > limits.total().toNanos()) {
            return leave(away, "open for " + limits.total().toSeconds() + " s", "total_timeout");
        }
        if (stopping && now - lastBytes > QUIET_NANOS) {
            return leave(away, "the proxy is shutting down", "shutting_down");
        }
        return null;
    }

    /// @return null when it was cut, not closed
    @Nullable End clientGone() {
        if (closeBy != 0) {
            return closed();
        }
        closeEngine(WebSocketFraming.GOING_AWAY, "the client is gone");
        return null;
    }

    /// The proxy can wait no longer.
    void abort() {
        closeClient(WebSocketFraming.GOING_AWAY, "the proxy is shutting down");
        closeEngine(WebSocketFraming.GOING_AWAY, "the proxy is shutting down");
    }

    // ---- the end

    /// Closes both sides, of Sluice's own accord.
    private End leave(int code, String why, String reason) {
        closeClient(code, why);
        closeEngine(code, why);
        return new End(result, false, reason);
    }

    /// The close handshake is through, or took too long.
    private End closed() {
        Violation wrong = fault;
        closeClient(
                wrong == null ? WebSocketFraming.NORMAL : wrong.status(),
                wrong == null ? "" : wrong.message());
        return new End(result, false, wrong == null ? "" : "websocket_fault");
    }

    private void closeSoon(long now) {
        if (closeBy == 0) {
            closeBy = now + CLOSING_NANOS;
        }
    }

    private void closeClient(int code, String why) {
        ByteBuf frame = down.close(code, why, 0);
        if (frame != null) {
            channel.write(frame, channel.voidPromise());
        }
    }

    /// @return whether a close frame has gone to the engine
    private boolean closeEngine(int code, String why) {
        ByteBuf frame = up.close(code, why, ThreadLocalRandom.current().nextInt());
        if (frame != null) {
            engine.write(frame);
        }
        return up.closed();
    }

    /// Bytes of frames from the client.
    long bytesIn() {
        return up.bytes();
    }

    /// Bytes of frames to the client.
    long bytesOut() {
        return down.bytes();
    }

    void release() {
        up.release();
        down.release();
    }
}
