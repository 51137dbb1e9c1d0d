package dev.sluice.proxy.upstream;

import dev.sluice.proxy.http.Fields;
import dev.sluice.proxy.http.RequestHead;
import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.request.RequestBody;
import dev.sluice.proxy.request.TraceContext;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;

/// Writes the head of an upstream request: a fresh one, with what the client sent only where it is
/// meant for the engine.
final class RequestWriter {
    private static final byte[] VERSION_AND_HOST = ascii(" HTTP/1.1\r\nHost: ");
    private static final byte[] REQUEST_ID = ascii("x-request-id: ");
    private static final byte[] TRACEPARENT = ascii("traceparent: ");
    private static final byte[] CONTENT_LENGTH = ascii("Content-Length: ");
    private static final byte[] CHUNKED = ascii("Transfer-Encoding: chunked\r\n");
    private static final byte[] WEBSOCKET = ascii("Connection: Upgrade\r\nUpgrade: websocket\r\n");
    private static final byte[] CRLF = ascii("\r\n");

    private final boolean forwardCredentials;

    RequestWriter(boolean forwardCredentials) {
        this.forwardCredentials = forwardCredentials;
    }

    /// @param trace replaces the client's; null leaves that as it came
    void write(
            RequestHead head,
            Endpoint endpoint,
            String requestId,
            @Nullable TraceContext trace,
            RequestBody body,
            ByteBuf out) {
        ByteBufUtil.writeAscii(out, head.method());
        out.writeByte(' ');
        ByteBufUtil.writeAscii(out, endpoint.address().basePath());
        head.copyTarget(out);
        out.writeBytes(VERSION_AND_HOST);
        ByteBufUtil.writeAscii(out, endpoint.address().authority());
        out.writeBytes(CRLF);
        Fields fields = head.fields();
        for (int i = 0; i < fields.count(); i++) {
            if (forwarded(fields, i) && (trace == null || !replaced(fields, i, trace))) {
                fields.copyLine(i, out);
            }
        }
        out.writeBytes(REQUEST_ID);
        ByteBufUtil.writeAscii(out, requestId);
        out.writeBytes(CRLF);
        if (trace != null) {
            out.writeBytes(TRACEPARENT);
            ByteBufUtil.writeAscii(out, trace.header());
            out.writeBytes(CRLF);
        }
        if (head.webSocket()) {
            out.writeBytes(WEBSOCKET);
        } else if (!body.isComplete()) {
            if (fields.contentLength() >= 0) {
                length(out, fields.contentLength() + body.growth());
            } else {
                out.writeBytes(CHUNKED);
            }
        } else if (head.hasBody() || body.size() > 0 || head.method().equals("POST")) {
            length(out, body.size());
        }
        out.writeBytes(CRLF);
    }

    private boolean forwarded(Fields fields, int i) {
        return switch (fields.kind(i)) {
            case OTHER, CONTENT_TYPE, CONTENT_ENCODING, RETRY_AFTER -> !fields.nominated(i);
            case AUTHORIZATION, API_KEY, AZURE_API_KEY, COOKIE ->
                    forwardCredentials && !fields.nominated(i);
            case HOST,
                    CONTENT_LENGTH,
                    TRANSFER_ENCODING,
                    CONNECTION,
                    KEEP_ALIVE,
                    PROXY_CONNECTION,
                    PROXY_AUTHENTICATE,
                    PROXY_AUTHORIZATION,
                    TE,
                    TRAILER,
                    UPGRADE,
                    HTTP2_SETTINGS,
                    EXPECT,
                    REQUEST_ID,
                    SLUICE,
                    FORWARDED,
                    X_FORWARDED ->
                    false;
        };
    }

    /// A trace that begins here has no state of others.
    private static boolean replaced(Fields fields, int i, TraceContext trace) {
        return fields.named(i, "traceparent")
                || (trace.parent() == null && fields.named(i, "tracestate"));
    }

    private static void length(ByteBuf out, long bytes) {
        out.writeBytes(CONTENT_LENGTH);
        ByteBufUtil.writeAscii(out, Long.toString(bytes));
        out.writeBytes(CRLF);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
