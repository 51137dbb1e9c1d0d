package dev.sluice.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.util.AsciiString;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The field lines of one message head, as offsets into one byte array that is used again for the
/// next message of the connection. Nothing is turned into text until somebody asks.
///
/// The grammar is RFC 9112 without its leniencies: CRLF only, no folding, no space before the
/// colon, visible characters in values, and no `_` in a request's names (it becomes `-` in some
/// engines' frameworks, so that two parties would read two different fields).
public final class Fields {
    /// Limits on one head, and the largest array kept for the next.
    public static final int MAX_BYTES = 32 * 1024;

    static final int MAX_FIELDS = 100;
    private static final int KEPT_BYTES = 4 * 1024;
    private static final boolean[] TOKEN = new boolean[128];

    static {
        for (char c = '0'; c <= '9'; c++) TOKEN[c] = true;
        for (char c = 'a'; c <= 'z'; c++) TOKEN[c] = true;
        for (char c = 'A'; c <= 'Z'; c++) TOKEN[c] = true;
        for (char c : "!#$%&'*+-.^`|~".toCharArray()) TOKEN[c] = true;
    }

    private final boolean underscores;
    byte[] bytes = new byte[1024];
    int length;

    private int count;
    private int[] at = new int[4 * 24];
    private Field[] kinds = new Field[24];

    private int hosts;
    private int hostIndex = -1;
    private long contentLength = -1;
    private boolean hasContentLength;
    private int transferEncodings;
    private boolean chunked;
    private boolean close;
    private boolean keepAlive;
    private boolean nominates;

    /// @param underscores whether names may hold `_`
    Fields(boolean underscores) {
        this.underscores = underscores;
    }

    /// Takes the bytes of a whole head, its blank line included, from the buffer's reader index.
    void take(ByteBuf in, int size) {
        if (bytes.length < size || bytes.length > KEPT_BYTES) {
            bytes = new byte[Math.max(1024, Integer.highestOneBit(Math.max(1, size - 1)) << 1)];
        }
        in.readBytes(bytes, 0, size);
        length = size;
        count = 0;
        hosts = 0;
        hostIndex = -1;
        contentLength = -1;
        hasContentLength = false;
        transferEncodings = 0;
        chunked = false;
        close = false;
        keepAlive = false;
        nominates = false;
    }

    /// Parses the field lines from `position` to the blank line.
    @Nullable Violation parse(int position) {
        byte[] b = bytes;
        int end = length - 2;
        int i = position;
        while (i < end) {
            int nameStart = i;
            while (token(b[i]) || (b[i] == '_' && underscores)) {
                i++;
            }
            if (b[i] != ':' || i == nameStart) {
                return badName(nameStart, i);
            }
            int nameEnd = i++;
            while (b[i] == ' ' || b[i] == '\t') {
                i++;
            }
            int valueStart = i;
            while (b[i] >= 0x20 || b[i] < 0 || b[i] == '\t') {
                if (b[i] == 0x7f) {
                    return Violation.bad("control character in a header value");
                }
                i++;
            }
            if (b[i] != '\r' || b[i + 1] != '\n') {
                return Violation.bad("control character or bare CR or LF in a header value");
            }
            int valueEnd = i;
            while (valueEnd > valueStart && (b[valueEnd - 1] == ' ' || b[valueEnd - 1] == '\t')) {
                valueEnd--;
            }
            i += 2;
            if (count == MAX_FIELDS) {
                return new Violation(431, "more than " + MAX_FIELDS + " header fields");
            }
            Violation v =
                    add(Field.of(b, nameStart, nameEnd), nameStart, nameEnd, valueStart, valueEnd);
            if (v != null) {
                return v;
            }
        }
        if (i != end || b[i] != '\r') {
            return Violation.bad("bare LF in the head");
        }
        if (transferEncodings > 0 && hasContentLength) {
            return Violation.bad("both Content-Length and Transfer-Encoding");
        }
        return null;
    }

    private Violation badName(int start, int i) {
        byte c = bytes[i];
        if (i == start && (c == ' ' || c == '\t')) {
            return Violation.bad("folded header line");
        }
        if (c == ' ' || c == '\t') {
            return Violation.bad("space in or after a header name");
        }
        return Violation.bad(
                c == '_'
                        ? "header name with _ (write - instead)"
                        : "header name with a character that is not allowed");
    }

    private @Nullable Violation add(
            Field kind, int nameStart, int nameEnd, int valueStart, int valueEnd) {
        if (count == kinds.length) {
            kinds = Arrays.copyOf(kinds, 2 * count);
            at = Arrays.copyOf(at, 8 * count);
        }
        kinds[count] = kind;
        at[4 * count] = nameStart;
        at[4 * count + 1] = nameEnd;
        at[4 * count + 2] = valueStart;
        at[4 * count + 3] = valueEnd;
        count++;
        return switch (kind) {
            case HOST -> {
                hosts++;
                hostIndex = count - 1;
                yield null;
            }
            case CONTENT_LENGTH -> contentLength(valueStart, valueEnd);
            case TRANSFER_ENCODING -> transferEncoding(valueStart, valueEnd);
            case CONNECTION -> connection(valueStart, valueEnd);
            case OTHER,
                    KEEP_ALIVE,
                    PROXY_CONNECTION,
                    PROXY_AUTHENTICATE,
                    PROXY_AUTHORIZATION,
                    TE,
                    TRAILER,
                    UPGRADE,
                    HTTP2_SETTINGS,
                    EXPECT,
                    AUTHORIZATION,
                    API_KEY,
                    AZURE_API_KEY,
                    COOKIE,
                    CONTENT_TYPE,
                    CONTENT_ENCODING,
                    RETRY_AFTER,
                    REQUEST_ID,
                    SLUICE,
                    FORWARDED,
                    X_FORWARDED ->
                    null;
        };
    }

    private @Nullable Violation contentLength(int start, int end) {
        if (hasContentLength) {
            return Violation.bad("more than one Content-Length");
        }
        hasContentLength = true;
        int digits = end - start;
        if (digits == 0 || digits > 18 || (digits > 1 && bytes[start] == '0')) {
            return Violation.bad("Content-Length is not a plain decimal number");
        }
        long value = 0;
        for (int i = start; i < end; i++) {
            int digit = bytes[i] - '0';
            if (digit < 0 || digit > 9) {
                return Violation.bad("Content-Length is not a plain decimal number");
            }
            value = value * 10 + digit;
        }
        contentLength = value;
        return null;
    }

    private @Nullable Violation transferEncoding(int start, int end) {
        if (++transferEncodings > 1) {
            return Violation.bad("more than one Transfer-Encoding");
        }
        if (!is(start, end, "chunked")) {
            return new Violation(501, "Transfer-Encoding other than exactly chunked");
        }
        chunked = true;
        return null;
    }

    private @Nullable Violation connection(int start, int end) {
        for (int i = start; i < end; ) {
            int comma = i;
            while (comma < end && bytes[comma] != ',') {
                comma++;
            }
            int from = i;
            int to = comma;
            while (from < to && (bytes[from] == ' ' || bytes[from] == '\t')) from++;
            while (to > from && (bytes[to - 1] == ' ' || bytes[to - 1] == '\t')) to--;
            if (is(from, to, "close")) {
                close = true;
            } else if (is(from, to, "keep-alive")) {
                keepAlive = true;
            } else if (to > from) {
                nominates = true;
            }
            i = comma + 1;
        }
        return null;
    }

    /// How many field lines there are.
    public int count() {
        return count;
    }

    public Field kind(int index) {
        return kinds[index];
    }

    /// The first value of a known field, or null.
    public @Nullable String value(Field kind) {
        for (int i = 0; i < count; i++) {
            if (kinds[i] == kind) {
                return value(i);
            }
        }
        return null;
    }

    public boolean has(Field kind) {
        for (int i = 0; i < count; i++) {
            if (kinds[i] == kind) {
                return true;
            }
        }
        return false;
    }

    /// The first value of a field by its lower-case name, or null.
    public @Nullable String value(String name) {
        for (int i = 0; i < count; i++) {
            if (is(at[4 * i], at[4 * i + 1], name)) {
                return value(i);
            }
        }
        return null;
    }

    /// Whether the field at this index has this name, given in lower case.
    public boolean named(int index, String lower) {
        return is(at[4 * index], at[4 * index + 1], lower);
    }

    public String name(int index) {
        return text(at[4 * index], at[4 * index + 1]);
    }

    public String value(int index) {
        return text(at[4 * index + 2], at[4 * index + 3]);
    }

    /// The name at this index as HTTP/2 wants it.
    public AsciiString lowerName(int index) {
        return raw(4 * index).toLowerCase();
    }

    /// The value at this index, byte for byte.
    public AsciiString rawValue(int index) {
        return raw(4 * index + 2);
    }

    private AsciiString raw(int from) {
        return new AsciiString(bytes, at[from], at[from + 1] - at[from], true);
    }

    /// Whether the value of the field at this index begins with `lower`, in any case.
    public boolean valueStartsWith(int index, String lower) {
        int start = at[4 * index + 2];
        return at[4 * index + 3] - start >= lower.length()
                && is(start, start + lower.length(), lower);
    }

    /// The declared length of the body, or -1.
    public long contentLength() {
        return contentLength;
    }

    public boolean chunked() {
        return chunked;
    }

    public boolean close() {
        return close;
    }

    public boolean keepAlive() {
        return keepAlive;
    }

    int hosts() {
        return hosts;
    }

    int hostStart() {
        return at[4 * hostIndex + 2];
    }

    int hostEnd() {
        return at[4 * hostIndex + 3];
    }

    /// Copies the line at this index, line break included, as it came.
    public void copyLine(int index, ByteBuf out) {
        int start = at[4 * index];
        int end = at[4 * index + 3];
        out.writeBytes(bytes, start, end - start);
        out.writeShort(('\r' << 8) | '\n');
    }

    /// Whether a `Connection` field names this one, so that it is for this hop only.
    public boolean nominated(int index) {
        if (!nominates) {
            return false;
        }
        String name = name(index);
        for (int i = 0; i < count; i++) {
            if (kinds[i] == Field.CONNECTION) {
                for (String option : value(i).split(",")) {
                    if (option.strip().equalsIgnoreCase(name)) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    String text(int start, int end) {
        return new String(bytes, start, end - start, StandardCharsets.ISO_8859_1);
    }

    boolean is(int start, int end, String lower) {
        if (end - start != lower.length()) {
            return false;
        }
        for (int i = 0; i < lower.length(); i++) {
            int c = bytes[start + i];
            if (c >= 'A' && c <= 'Z') {
                c |= 0x20;
            }
            if (c != lower.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    static boolean token(byte c) {
        return c >= 0 && TOKEN[c];
    }
}
