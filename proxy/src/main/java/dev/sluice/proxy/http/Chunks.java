package dev.sluice.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;

import java.nio.charset.StandardCharsets;

/// The bytes of chunked framing (RFC 9112, section 7.1). Buffers are handed out to be written once
/// each. Any thread.
public final class Chunks {
    private static final ByteBuf LAST =
            Unpooled.unreleasableBuffer(
                            Unpooled.directBuffer()
                                    .writeBytes("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)))
                    .asReadOnly();

    private Chunks() {}

    /// The line before a chunk of `size` bytes.
    public static ByteBuf begin(ByteBufAllocator alloc, long size) {
        ByteBuf line = alloc.directBuffer(18);
        ByteBufUtil.writeAscii(line, Long.toHexString(size));
        return line.writeShort(('\r' << 8) | '\n');
    }

    /// What follows a chunk's content.
    public static ByteBuf end() {
        return LAST.slice(1, 2);
    }

    /// The last `bytes` of what follows a chunk's content, 1 or 2.
    public static ByteBuf endFrom(int bytes) {
        return LAST.slice(3 - bytes, bytes);
    }

    /// The chunk of size 0 that ends a body, without trailers.
    public static ByteBuf last() {
        return LAST.duplicate();
    }
}
