package dev.sluice.proxy.flow;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// WebSocket frames as bytes, up to 64 KiB of payload.
final class Frames {
    static final int TEXT = 1;
    static final int CLOSE = 8;

    private static final byte[] MASK = {1, 2, 3, 4};

    private Frames() {}

    static byte[] text(boolean masked, String text) {
        return frame(masked, TEXT, text.getBytes(StandardCharsets.UTF_8));
    }

    static byte[] close(boolean masked, int code) {
        return frame(masked, CLOSE, new byte[] {(byte) (code >> 8), (byte) code});
    }

    static byte[] frame(boolean masked, int opcode, byte[] payload) {
        ByteBuffer out = ByteBuffer.allocate(8 + payload.length);
        out.put((byte) (0x80 | opcode));
        int mask = masked ? 0x80 : 0;
        if (payload.length < 126) {
            out.put((byte) (mask | payload.length));
        } else {
            out.put((byte) (mask | 126)).putShort((short) payload.length);
        }
        if (masked) {
            out.put(MASK);
        }
        for (int i = 0; i < payload.length; i++) {
            out.put((byte) (masked ? payload[i] ^ MASK[i & 3] : payload[i]));
        }
        byte[] bytes = new byte[out.position()];
        out.flip().get(bytes);
        return bytes;
    }

    /// How a close frame is shown by {@link #shown}.
    static String closed(int code) {
        return "close " + code;
    }

    /// A frame's payload as text; of a close frame, its code.
    static String shown(int opcode, byte[] payload) {
        if (opcode == CLOSE) {
            return closed(((payload[0] & 0xff) << 8) | (payload[1] & 0xff));
        }
        return new String(payload, StandardCharsets.UTF_8);
    }

    /// Reads one frame.
    static String read(java.io.InputStream in) throws java.io.IOException {
        int opcode = in.read() & 0xf;
        int second = in.read();
        int length = second & 0x7f;
        if (length == 126) {
            length = in.read() << 8 | in.read();
        }
        byte[] mask = (second & 0x80) != 0 ? in.readNBytes(4) : new byte[4];
        byte[] payload = in.readNBytes(length);
        for (int i = 0; i < payload.length; i++) {
            payload[i] ^= mask[i & 3];
        }
        return shown(opcode, payload);
    }
}
