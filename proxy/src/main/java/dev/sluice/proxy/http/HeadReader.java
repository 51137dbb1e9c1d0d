package dev.sluice.proxy.http;

import io.netty.buffer.ByteBuf;

/// Finds the end of a message head in a buffer that grows, without looking twice at a byte.
public final class HeadReader {
    static final int MAX_LINE = 8 * 1024;

    /// More bytes are needed.
    public static final int INCOMPLETE = -1;

    /// The first line is longer than allowed.
    public static final int LINE_TOO_LONG = -2;

    /// The head is longer than allowed.
    public static final int HEAD_TOO_LONG = -3;

    private int scanned;
    private boolean firstLine = true;
    private int lineStart;

    /// @param in bytes from the start of the head at its reader index; the same ones, and more, at
    ///   each call
    /// @return size of the head with its blank line, or one of the negative constants
    public int find(ByteBuf in) {
        int start = in.readerIndex();
        int end = in.writerIndex();
        int line = start + lineStart;
        int from = start + scanned;
        while (true) {
            int newline = in.indexOf(from, end, (byte) '\n');
            if (newline < 0) {
                scanned = end - start;
                break;
            }
            if (firstLine) {
                firstLine = false;
                if (newline - start > MAX_LINE) {
                    return LINE_TOO_LONG;
                }
            }
            int size = newline + 1 - start;
            if (size > Fields.MAX_BYTES) {
                return HEAD_TOO_LONG;
            }
            boolean blank =
                    line > start
                            && newline - line <= 1
                            && (newline == line || in.getByte(line) == '\r');
            if (blank) {
                return size;
            }
            line = newline + 1;
            from = line;
            lineStart = size;
            scanned = size;
        }
        if (firstLine && end - start > MAX_LINE) {
            return LINE_TOO_LONG;
        }
        return end - start > Fields.MAX_BYTES ? HEAD_TOO_LONG : INCOMPLETE;
    }

    /// Makes ready for the next head.
    public void reset() {
        scanned = 0;
        firstLine = true;
        lineStart = 0;
    }
}
