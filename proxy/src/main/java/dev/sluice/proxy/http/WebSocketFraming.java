package dev.sluice.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;

/// Follows the frames of one direction of a WebSocket through the buffers that they come in, and
/// says how far each buffer is sound. Nothing is copied, unmasked or made per frame: payload is
/// skipped, so that whatever extension the two ends agreed on passes.
///
/// A frame's header is passed on only once it is whole; a close frame only once all of it is there.
/// So the wire always stands inside a payload or between two frames, and where it stands between
/// two, a close frame of one's own may be put.
///
/// Grammar: RFC 6455, section 5. Checked: masking by direction, reserved bits (free once an
/// extension was agreed), opcodes, control frames whole and at most 125 bytes, lengths in their
/// shortest form and below 2^63, the order of fragments. Text and close codes are the ends' own
/// business. Event loop only.
public final class WebSocketFraming {
    /// Close codes of RFC 6455, section 7.4.1.
    public static final int NORMAL = 1000;

    public static final int GOING_AWAY = 1001;
    public static final int PROTOCOL_ERROR = 1002;
    public static final int NO_CODE = 1005;
    public static final int TOO_BIG = 1009;
    public static final int INTERNAL_ERROR = 1011;
    public static final int TRY_AGAIN_LATER = 1013;

    private static final int CONTINUATION = 0;
    private static final int BINARY = 2;
    private static final int CLOSE = 8;
    private static final int PONG = 10;
    private static final int MAX_CONTROL = 125;

    private final boolean masked;
    private final boolean extensions;
    private final long maxMessage;
    private long payload;
    private boolean inMessage;
    private long message;
    private int closeCode;

    /// @param masked whether it is the client's direction, which must mask (section 5.1)
    /// @param extensions whether the handshake agreed on any, which may then use reserved bits
    /// @param maxMessage largest message on the wire, in bytes of payload over all its fragments
    public WebSocketFraming(boolean masked, boolean extensions, long maxMessage) {
        this.masked = masked;
        this.extensions = extensions;
        this.maxMessage = maxMessage;
    }

    /// Moves the buffer's reader index over all that may be passed on. What is left is the begin of
    /// a header or of a close frame, to be given again with more bytes behind it; or, after a
    /// violation, the frame at fault; or, once {@link #closed}, surplus.
    ///
    /// @return the violation, its status the close code that says so
    public @Nullable Violation read(ByteBuf in) {
        while (in.isReadable() && !closed()) {
            if (payload > 0) {
                int n = (int) Math.min(payload, in.readableBytes());
                in.skipBytes(n);
                payload -= n;
                continue;
            }
            if (in.readableBytes() < 2) {
                return bad(firstByte(in.getByte(in.readerIndex())));
            }
            int at = in.readerIndex();
            byte first = in.getByte(at);
            byte second = in.getByte(at + 1);
            String problem = firstByte(first);
            if (problem == null) {
                problem = secondByte(first & 0xf, second);
            }
            if (problem != null) {
                return bad(problem);
            }
            int size = headerSize(second & 0x7f);
            if (in.readableBytes() < size) {
                return null;
            }
            long length = length(in, at, second & 0x7f);
            if (length < 0) {
                return bad("a length that is not in its shortest form");
            }
            int opcode = first & 0xf;
            if (opcode == CLOSE) {
                if (in.readableBytes() < size + length) {
                    return null;
                }
                closeCode = closeCode(in, at + size, length);
            } else if (opcode <= BINARY) {
                message = opcode == CONTINUATION ? message : 0;
                if (length > maxMessage - message) {
                    return new Violation(
                            TOO_BIG, "a message of more than " + maxMessage + " bytes");
                }
                message += length;
                inMessage = first >= 0;
            }
            in.skipBytes(opcode == CLOSE ? (int) (size + length) : size);
            payload = opcode == CLOSE ? 0 : length;
        }
        return null;
    }

    private @Nullable String firstByte(byte first) {
        int opcode = first & 0xf;
        boolean last = first < 0;
        if ((first & 0x70) != 0 && !extensions) {
            return "a reserved bit that no extension gave a meaning";
        }
        if (opcode > PONG || (opcode > BINARY && opcode < CLOSE)) {
            return "the reserved opcode " + opcode;
        }
        if (opcode >= CLOSE) {
            return last ? null : "a control frame in fragments";
        }
        if (inMessage) {
            return opcode == CONTINUATION ? null : "a new message inside another one";
        }
        return opcode == CONTINUATION ? "a continuation of nothing" : null;
    }

    private @Nullable String secondByte(int opcode, byte second) {
        if (second < 0 != masked) {
            return masked ? "a frame without a mask" : "a masked frame";
        }
        return opcode >= CLOSE && (second & 0x7f) > MAX_CONTROL
                ? "a control frame of more than " + MAX_CONTROL + " bytes"
                : null;
    }

    private int headerSize(int length7) {
        return 2 + (length7 == 126 ? 2 : length7 == 127 ? 8 : 0) + (masked ? 4 : 0);
    }

    /// @return -1 if it could have been written shorter, or is no length
    private static long length(ByteBuf in, int at, int length7) {
        if (length7 == 126) {
            int length = in.getUnsignedShort(at + 2);
            return length < 126 ? -1 : length;
        }
        if (length7 == 127) {
            long length = in.getLong(at + 2);
            return length < 0x10000 ? -1 : length;
        }
        return length7;
    }

    private int closeCode(ByteBuf in, int at, long length) {
        if (length < 2) {
            return NO_CODE;
        }
        int code = in.getUnsignedShort(at);
        return masked ? code ^ in.getUnsignedShort(at - 4) : code;
    }

    private static @Nullable Violation bad(@Nullable String problem) {
        return problem == null ? null : new Violation(PROTOCOL_ERROR, problem);
    }

    /// Whether the bytes passed on so far end with a whole frame.
    public boolean betweenFrames() {
        return payload == 0;
    }

    /// Whether a close frame was passed on, after which this direction has nothing more to say.
    public boolean closed() {
        return closeCode != 0;
    }

    /// The code of the close frame that was passed on, {@link #NO_CODE} if it held none; 0 before
    /// any.
    public int closeCode() {
        return closeCode;
    }

    /// A close frame of one's own for this direction. After it nothing else passes.
    ///
    /// @param mask for the client's direction
    public ByteBuf close(ByteBufAllocator alloc, int code, String reason, int mask) {
        closeCode = code;
        byte[] text = reason.getBytes(StandardCharsets.US_ASCII);
        int length = Math.min(text.length, MAX_CONTROL - 2);
        ByteBuf out = alloc.buffer(6 + 2 + length);
        out.writeByte(0x80 | CLOSE);
        out.writeByte((masked ? 0x80 : 0) | (2 + length));
        if (masked) {
            out.writeInt(mask);
        }
        int from = out.writerIndex();
        out.writeShort(code).writeBytes(text, 0, length);
        for (int i = 0; masked && i < 2 + length; i++) {
            out.setByte(from + i, out.getByte(from + i) ^ (mask >> (24 - 8 * (i & 3))));
        }
        return out;
    }
}
