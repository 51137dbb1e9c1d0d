package dev.sluice.proxy.call;

import dev.sluice.proxy.http.Violation;
import dev.sluice.proxy.http.WebSocketFraming;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

import org.jspecify.annotations.Nullable;

/// One direction of a WebSocket: of each buffer, what may go on. Holds at most the begin of a
/// header or of a close frame. Event loop only.
final class WebSocketHalf {
    private final WebSocketFraming framing;
    private final ByteBufAllocator alloc;
    private @Nullable ByteBuf begun;
    private @Nullable Violation violation;
    private long bytes;

    WebSocketHalf(WebSocketFraming framing, ByteBufAllocator alloc) {
        this.framing = framing;
        this.alloc = alloc;
    }

    /// Takes the buffer's reference over.
    ///
    /// @return what of it, and of what was held before, goes on; null for nothing
    @Nullable ByteBuf pass(ByteBuf in) {
        if (violation != null || framing.closed()) {
            in.release();
            return null;
        }
        ByteBuf all = joined(in);
        int start = all.readerIndex();
        violation = framing.read(all);
        int end = all.readerIndex();
        if (all.isReadable() && violation == null && !framing.closed()) {
            begun = alloc.buffer(all.readableBytes()).writeBytes(all);
        }
        if (end == start) {
            all.release();
            return null;
        }
        bytes += end - start;
        return all.setIndex(start, end);
    }

    private ByteBuf joined(ByteBuf in) {
        ByteBuf before = begun;
        if (before == null) {
            return in;
        }
        begun = null;
        ByteBuf both = alloc.buffer(before.readableBytes() + in.readableBytes());
        both.writeBytes(before).writeBytes(in);
        before.release();
        in.release();
        return both;
    }

    /// What broke the rules; nothing passes after it.
    @Nullable Violation violation() {
        return violation;
    }

    boolean closed() {
        return framing.closed();
    }

    int closeCode() {
        return framing.closeCode();
    }

    /// Bytes that went on.
    long bytes() {
        return bytes;
    }

    /// @return a close frame to be sent this way, or null where it would fall into another frame or
    ///   come after one
    @Nullable ByteBuf close(int code, String reason, int mask) {
        if (framing.closed() || !framing.betweenFrames()) {
            return null;
        }
        ByteBuf frame = framing.close(alloc, code, reason, mask);
        bytes += frame.readableBytes();
        return frame;
    }

    void release() {
        ByteBuf held = begun;
        if (held != null) {
            begun = null;
            held.release();
        }
    }
}
