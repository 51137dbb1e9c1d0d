package dev.sluice.simulator.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;

/// One request and the way to answer it, whole or in chunks.
public final class Exchange {
    private static final byte[] LAST_CHUNK = "0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private final Connection connection;
    private final HttpMethod method;
    private final String path;
    private final HttpHeaders headers;
    private final byte[] body;
    private final boolean keepAlive;
    private @Nullable Runnable onClientLeft;
    private boolean ended;

    Exchange(Connection connection, HttpRequest request, byte[] body) {
        this.connection = connection;
        this.method = request.method();
        int query = request.uri().indexOf('?');
        this.path = query < 0 ? request.uri() : request.uri().substring(0, query);
        this.headers = request.headers();
        this.body = body;
        this.keepAlive = HttpUtil.isKeepAlive(request);
    }

    HttpMethod method() {
        return method;
    }

    String path() {
        return path;
    }

    HttpHeaders headers() {
        return headers;
    }

    byte[] body() {
        return body;
    }

    /// What to do when the connection goes away before the answer is complete.
    void onClientLeft(Runnable action) {
        onClientLeft = action;
    }

    void clientLeft() {
        ended = true;
        if (onClientLeft != null) {
            onClientLeft.run();
        }
    }

    void json(int status, String json) {
        respond(status, "application/json", json.getBytes(StandardCharsets.UTF_8), "");
    }

    /// Answers at once with everything.
    ///
    /// @param extra further header lines, each with its line end
    void respond(int status, String type, byte[] content, String extra) {
        if (ended) {
            return;
        }
        String close = keepAlive ? "" : "connection: close\r\n";
        connection.write(whole(connection.alloc(), status, type, content, extra + close));
        finish(keepAlive);
    }

    /// Begins a chunked answer.
    void beginStream(String type) {
        if (ended) {
            return;
        }
        ByteBuf out = connection.buffer(256);
        out.writeCharSequence(
                "HTTP/1.1 200 OK\r\nserver: uvicorn\r\ncontent-type: "
                        + type
                        + (keepAlive ? "" : "\r\nconnection: close")
                        + "\r\ntransfer-encoding: chunked\r\n\r\n",
                StandardCharsets.US_ASCII);
        connection.write(out);
    }

    /// Writes one chunk of the parts given.
    void chunk(byte[]... parts) {
        if (ended) {
            return;
        }
        int size = 0;
        for (byte[] part : parts) {
            size += part.length;
        }
        ByteBuf out = connection.buffer(size + 12);
        ByteBufUtil.writeAscii(out, Integer.toHexString(size));
        out.writeShort('\r' << 8 | '\n');
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        out.writeShort('\r' << 8 | '\n');
        connection.write(out);
    }

    void endStream() {
        if (ended) {
            return;
        }
        connection.write(connection.buffer(LAST_CHUNK.length).writeBytes(LAST_CHUNK));
        finish(keepAlive);
    }

    /// Writes bytes that are no valid answer and closes.
    void garbage(String bytes) {
        ByteBuf out = connection.buffer(bytes.length());
        out.writeCharSequence(bytes, StandardCharsets.ISO_8859_1);
        connection.write(out);
        finish(false);
    }

    /// Closes early, in good order.
    void close() {
        finish(false);
    }

    void reset() {
        ended = true;
        connection.reset();
    }

    private void finish(boolean keep) {
        ended = true;
        connection.answered(keep);
    }

    static ByteBuf whole(
            ByteBufAllocator alloc, int status, String type, byte[] content, String extra) {
        ByteBuf out = alloc.buffer(content.length + 256);
        out.writeCharSequence(
                "HTTP/1.1 "
                        + HttpResponseStatus.valueOf(status)
                        + "\r\nserver: uvicorn\r\ncontent-type: "
                        + type
                        + "\r\ncontent-length: "
                        + content.length
                        + "\r\n"
                        + extra
                        + "\r\n",
                StandardCharsets.US_ASCII);
        return out.writeBytes(content);
    }
}
