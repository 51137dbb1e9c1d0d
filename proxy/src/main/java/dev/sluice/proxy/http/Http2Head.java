package dev.sluice.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.AsciiString;

import org.jspecify.annotations.Nullable;

import java.util.Map;

/// Writes an HTTP/2 request's fields as an HTTP/1.1 head, for {@link RequestHead} to read: one
/// grammar and one list of refusals hold for both versions. Nothing of a field can become part of
/// another: what could is malformed (RFC 9113, section 8.2.1).
public final class Http2Head {
    private Http2Head() {}

    /// @param end whether no body follows
    /// @return why the request is malformed, which is an error of its stream; null when it is not
    public static @Nullable String write(Http2Headers fields, boolean end, ByteBuf out) {
        CharSequence method = fields.method();
        CharSequence path = fields.path();
        CharSequence authority = fields.authority();
        if (method == null || !plain(method)) {
            return "no valid :method";
        }
        if (path == null && AsciiString.contentEquals(method, "CONNECT")) {
            path = authority;
        }
        if (path == null || !plain(path)) {
            return "no valid :path";
        }
        if (authority != null && authority.length() > 0 && !plain(authority)) {
            return "malformed :authority";
        }
        ascii(out, method);
        out.writeByte(' ');
        ascii(out, path);
        ByteBufUtil.writeAscii(out, " HTTP/1.1\r\n");
        if (authority != null) {
            line(out, "host", authority);
        }
        return fields(fields, end, authority, out);
    }

    private static @Nullable String fields(
            Http2Headers fields, boolean end, @Nullable CharSequence authority, ByteBuf out) {
        boolean length = false;
        StringBuilder cookies = null;
        for (Map.Entry<CharSequence, CharSequence> field : fields) {
            CharSequence name = field.getKey();
            CharSequence value = field.getValue();
            if (name.length() > 0 && name.charAt(0) == ':') {
                continue;
            }
            String wrong = wrong(name, value);
            if (wrong != null) {
                return wrong;
            }
            if (authority != null && AsciiString.contentEquals(name, "host")) {
                if (!AsciiString.contentEqualsIgnoreCase(value, authority)) {
                    return "host differs from :authority";
                }
                continue;
            }
            if (AsciiString.contentEquals(name, "cookie")) {
                cookies = cookies == null ? new StringBuilder() : cookies.append("; ");
                cookies.append(value);
                continue;
            }
            length |= AsciiString.contentEquals(name, "content-length");
            line(out, name, value);
        }
        if (cookies != null) {
            line(out, "cookie", cookies);
        }
        if (!end && !length) {
            ByteBufUtil.writeAscii(out, "transfer-encoding: chunked\r\n");
        }
        out.writeShort(('\r' << 8) | '\n');
        return null;
    }

    private static @Nullable String wrong(CharSequence name, CharSequence value) {
        if (name.length() == 0) {
            return "empty field name";
        }
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c > 0x7f || (c >= 'A' && c <= 'Z') || (c != '_' && !Fields.token((byte) c))) {
                return "field name with a character that is not allowed";
            }
        }
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '\r' || c == '\n' || c == 0) {
                return "field value with a line break or NUL";
            }
        }
        return switch (name.length()) {
            case 2 ->
                    AsciiString.contentEquals(name, "te")
                                    && !AsciiString.contentEqualsIgnoreCase(value, "trailers")
                            ? "te other than trailers"
                            : null;
            case 7 -> hop(name, "upgrade");
            case 10 -> {
                String connection = hop(name, "connection");
                yield connection == null ? hop(name, "keep-alive") : connection;
            }
            case 16 -> hop(name, "proxy-connection");
            case 17 -> hop(name, "transfer-encoding");
            default -> null;
        };
    }

    private static @Nullable String hop(CharSequence name, String forbidden) {
        return AsciiString.contentEquals(name, forbidden)
                ? forbidden + " has no place in HTTP/2"
                : null;
    }

    /// Whether it can stand in a request line or a Host without ending it.
    private static boolean plain(CharSequence text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c <= 0x20 || c == 0x7f) {
                return false;
            }
        }
        return text.length() > 0;
    }

    private static void line(ByteBuf out, CharSequence name, CharSequence value) {
        ascii(out, name);
        out.writeShort((':' << 8) | ' ');
        ascii(out, value);
        out.writeShort(('\r' << 8) | '\n');
    }

    private static void ascii(ByteBuf out, CharSequence text) {
        if (text instanceof AsciiString bytes) {
            out.writeBytes(bytes.array(), bytes.arrayOffset(), bytes.length());
        } else {
            for (int i = 0; i < text.length(); i++) {
                out.writeByte(text.charAt(i));
            }
        }
    }
}
