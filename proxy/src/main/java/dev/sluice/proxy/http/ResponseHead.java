package dev.sluice.proxy.http;

import io.netty.buffer.ByteBuf;

import org.jspecify.annotations.Nullable;

/// A status line and its fields, checked like a request's. Used again for each response of a
/// connection; event loop only.
public final class ResponseHead {
    private final Fields fields = new Fields(true);
    private int status;
    private boolean http11;
    private int reasonEnd;

    /// Reads a whole head of `size` bytes from the buffer.
    public @Nullable Violation read(ByteBuf in, int size) {
        fields.take(in, size);
        byte[] b = fields.bytes;
        if (size < 16 || !fields.is(0, 7, "http/1.") || b[0] != 'H' || b[8] != ' ') {
            return Violation.bad("malformed status line");
        }
        if (b[7] != '1' && b[7] != '0') {
            return Violation.bad("the version is neither HTTP/1.1 nor HTTP/1.0");
        }
        http11 = b[7] == '1';
        status = 0;
        for (int i = 9; i < 12; i++) {
            if (b[i] < '0' || b[i] > '9') {
                return Violation.bad("malformed status line");
            }
            status = status * 10 + b[i] - '0';
        }
        if (status < 100 || (b[12] != ' ' && b[12] != '\r')) {
            return Violation.bad("malformed status line");
        }
        int i = 12;
        while (b[i] >= 0x20 || b[i] < 0 || b[i] == '\t') {
            i++;
        }
        if (b[i] != '\r' || b[i + 1] != '\n') {
            return Violation.bad("control character in the status line");
        }
        reasonEnd = i;
        Violation v = fields.parse(i + 2);
        if (v == null && !http11 && fields.chunked()) {
            return Violation.bad("Transfer-Encoding in HTTP/1.0");
        }
        return v;
    }

    public Fields fields() {
        return fields;
    }

    public int status() {
        return status;
    }

    public boolean keepAlive() {
        return http11 ? !fields.close() : fields.keepAlive() && !fields.close();
    }

    /// Whether a body follows, given the method that was asked.
    public boolean bodyless(boolean head) {
        return head || status == 204 || status == 304 || status < 200;
    }

    /// Writes status and reason phrase as they came, as HTTP/1.1, with the line break.
    public void copyStatusLine(ByteBuf out) {
        byte[] b = fields.bytes;
        byte minor = b[7];
        b[7] = '1';
        out.writeBytes(b, 0, reasonEnd);
        b[7] = minor;
        out.writeShort(('\r' << 8) | '\n');
    }
}
