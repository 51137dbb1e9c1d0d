package dev.sluice.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.Set;

/// A request line and its fields, checked by the strict grammar. Used again for each request of a
/// connection; event loop only.
public final class RequestHead {
    private static final Set<String> METHODS =
            Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");

    private final Fields fields = new Fields(false);
    private String method = "";
    private String path = "";
    private int targetStart;
    private int targetEnd;
    private int queryStart;
    private @Nullable String otherQuery;
    private boolean http11;
    private boolean webSocket;

    /// Reads a whole head of `size` bytes from the buffer. After a violation nothing else of this
    /// object means anything.
    public @Nullable Violation read(ByteBuf in, int size) {
        fields.take(in, size);
        method = "";
        otherQuery = null;
        webSocket = false;
        http11 = true;
        byte[] b = fields.bytes;
        int i = 0;
        while (Fields.token(b[i])) {
            i++;
        }
        if (i == 0 || b[i] != ' ') {
            return Violation.bad("malformed request line");
        }
        method = methodOf(b, i);
        targetStart = ++i;
        while (b[i] > 0x20 && b[i] < 0x7f) {
            i++;
        }
        targetEnd = i;
        if (b[i] < 0) {
            return Violation.bad("8-bit character in the request target");
        }
        if (targetEnd == targetStart || b[i] != ' ') {
            return Violation.bad("malformed request line");
        }
        if (b[i + 1] >= 'A' && b[i + 1] <= 'Z' && b[i + 1] != 'H') {
            return new Violation(Violation.NOT_HTTP, "not HTTP");
        }
        if (!version(b, i + 1)) {
            return Violation.bad("the version is neither HTTP/1.1 nor HTTP/1.0");
        }
        if (!METHODS.contains(method)) {
            return new Violation(501, "method not supported");
        }
        Violation v = fields.parse(i + 11);
        if (v == null) {
            v = host();
        }
        if (v == null) {
            v = target(b);
        }
        return v == null ? body() : v;
    }

    private static String methodOf(byte[] b, int end) {
        if (end == 4 && b[0] == 'P' && b[1] == 'O' && b[2] == 'S' && b[3] == 'T') {
            return "POST";
        }
        if (end == 3 && b[0] == 'G' && b[1] == 'E' && b[2] == 'T') {
            return "GET";
        }
        return new String(b, 0, end, StandardCharsets.US_ASCII);
    }

    private boolean version(byte[] b, int i) {
        boolean http1 =
                fields.length >= i + 10
                        && b[i] == 'H'
                        && b[i + 1] == 'T'
                        && b[i + 2] == 'T'
                        && b[i + 3] == 'P'
                        && b[i + 4] == '/'
                        && b[i + 5] == '1'
                        && b[i + 6] == '.'
                        && b[i + 8] == '\r'
                        && b[i + 9] == '\n';
        http11 = http1 && b[i + 7] == '1';
        return http11 || (http1 && b[i + 7] == '0');
    }

    private @Nullable Violation host() {
        if (fields.hosts() != 1) {
            return Violation.bad(fields.hosts() == 0 ? "no Host" : "more than one Host");
        }
        if (fields.hostStart() == fields.hostEnd()) {
            return Violation.bad("empty Host");
        }
        for (int i = fields.hostStart(); i < fields.hostEnd(); i++) {
            byte c = fields.bytes[i];
            boolean ok =
                    (Fields.token(c) && c != '^' && c != '`' && c != '|' && c != '#')
                            || c == '_'
                            || c == ':'
                            || c == '['
                            || c == ']';
            if (!ok) {
                return Violation.bad("Host with a character that is not allowed");
            }
        }
        return null;
    }

    /// Sets the path, and refuses every form of target but `/path` and `http://host/path`.
    private @Nullable Violation target(byte[] b) {
        int start = targetStart;
        if (b[start] != '/') {
            int slashes = schemeEnd();
            if (slashes < 0) {
                return Violation.bad("the request target is neither a path nor an http URI");
            }
            start = slashes;
            while (start < targetEnd && b[start] != '/' && b[start] != '?') {
                if (b[start++] == '@') {
                    return Violation.bad("user information in the request target");
                }
            }
            if (!fields.text(slashes, start)
                    .equalsIgnoreCase(fields.text(fields.hostStart(), fields.hostEnd()))) {
                return Violation.bad("Host differs from the request target");
            }
            if (start == targetEnd || b[start] != '/') {
                return Violation.bad("the request target has no path");
            }
        }
        targetStart = start;
        int query = start;
        boolean suspicious = false;
        while (query < targetEnd && b[query] != '?') {
            byte c = b[query++];
            suspicious |=
                    c == '.'
                            || c == '%'
                            || c == '\\'
                            || (c == '/' && query < targetEnd && b[query] == '/');
        }
        for (int i = query; i < targetEnd; i++) {
            if (b[i] == '#') {
                return Violation.bad("fragment in the request target");
            }
        }
        queryStart = query;
        path = pathOf(b, start, query);
        if (path.indexOf('#') >= 0) {
            return Violation.bad("fragment in the request target");
        }
        return suspicious && leavesItsFolder(path)
                ? Violation.bad("dot segments or empty segments in the path")
                : null;
    }

    /// The few paths that nearly every call has, without a new string.
    private String pathOf(byte[] b, int start, int end) {
        if (path.length() == end - start) {
            int i = 0;
            while (i < path.length() && path.charAt(i) == b[start + i]) {
                i++;
            }
            if (i == path.length()) {
                return path;
            }
        }
        return fields.text(start, end);
    }

    private int schemeEnd() {
        if (targetEnd - targetStart > 7 && fields.is(targetStart, targetStart + 7, "http://")) {
            return targetStart + 7;
        }
        if (targetEnd - targetStart > 8 && fields.is(targetStart, targetStart + 8, "https://")) {
            return targetStart + 8;
        }
        return -1;
    }

    /// Engines resolve `..`, `%2e%2e` and `//` in their own ways; a path that reads differently in
    /// two programs could reach what `/v1/` was to keep it from.
    private static boolean leavesItsFolder(String path) {
        String plain = path.toLowerCase(java.util.Locale.ROOT).replace("%2e", ".");
        if (plain.contains("//")
                || plain.contains("%2f")
                || plain.contains("%5c")
                || plain.contains("\\")
                || plain.contains("%00")) {
            return true;
        }
        return plain.contains("/../")
                || plain.contains("/./")
                || plain.endsWith("/..")
                || plain.endsWith("/.");
    }

    private @Nullable Violation body() {
        if (!http11 && fields.chunked()) {
            return Violation.bad("Transfer-Encoding in HTTP/1.0");
        }
        boolean none = method.equals("GET") || method.equals("HEAD") || method.equals("OPTIONS");
        if (none && (fields.contentLength() > 0 || fields.chunked())) {
            return Violation.bad("a body on " + method);
        }
        for (int i = 0; i < fields.count(); i++) {
            Field kind = fields.kind(i);
            if (kind == Field.HTTP2_SETTINGS) {
                return h2c();
            }
            if (kind == Field.UPGRADE) {
                String protocols = fields.value(i).toLowerCase(java.util.Locale.ROOT);
                if (protocols.contains("h2c")) {
                    return h2c();
                }
                webSocket |= protocols.contains("websocket");
            }
            if (kind == Field.EXPECT && !fields.value(i).equalsIgnoreCase("100-continue")) {
                return new Violation(417, "Expect other than 100-continue");
            }
        }
        return null;
    }

    private static Violation h2c() {
        return Violation.bad(
                "Upgrade: h2c (leave it out, as Java's HttpClient does with version(HTTP_1_1), or"
                        + " use HTTP/2 by prior knowledge or by ALPN)");
    }

    public Fields fields() {
        return fields;
    }

    public String method() {
        return method;
    }

    /// The path without the query, still percent-encoded.
    public String path() {
        return path;
    }

    /// What follows the `?`, still percent-encoded; empty without one.
    public String query() {
        return queryStart == targetEnd ? "" : fields.text(queryStart + 1, targetEnd);
    }

    /// Asks the engine with another query than the client's.
    public void replaceQuery(String query) {
        otherQuery = query;
    }

    /// Whether the client asks for a WebSocket (RFC 6455), well or badly.
    public boolean webSocket() {
        return webSocket;
    }

    public boolean http11() {
        return http11;
    }

    /// Whether the connection may carry another request after this one.
    public boolean keepAlive() {
        return http11 ? !fields.close() : fields.keepAlive() && !fields.close();
    }

    public boolean hasBody() {
        return fields.contentLength() > 0 || fields.chunked();
    }

    public boolean expectsContinue() {
        return http11 && fields.has(Field.EXPECT);
    }

    public boolean isHead() {
        return method.equals("HEAD");
    }

    /// Writes path and query as they came, or with the query that replaced it.
    public void copyTarget(ByteBuf out) {
        String query = otherQuery;
        if (query == null) {
            out.writeBytes(fields.bytes, targetStart, targetEnd - targetStart);
            return;
        }
        out.writeBytes(fields.bytes, targetStart, queryStart - targetStart);
        ByteBufUtil.writeAscii(out.writeByte('?'), query);
    }
}
