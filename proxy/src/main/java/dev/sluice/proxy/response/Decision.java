package dev.sluice.proxy.response;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http2.Http2Headers;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;

/// What Sluice adds to a response's head: who served the call and why.
///
/// @param endpoint URL of the endpoint; null when none was asked
/// @param reason policy and why, or the refusal's code; null to leave it out
public record Decision(
        String requestId,
        @Nullable String endpoint,
        int attempts,
        long queueMillis,
        @Nullable String reason) {
    private static final byte[] REQUEST_ID = ascii("x-request-id: ");
    private static final byte[] ENDPOINT = ascii("\r\nx-sluice-endpoint: ");
    private static final byte[] ATTEMPTS = ascii("\r\nx-sluice-attempts: ");
    private static final byte[] QUEUE = ascii("\r\nx-sluice-queue-ms: ");

    /// Nothing is cached yet, and so the header says.
    private static final byte[] CACHE = ascii("\r\nx-sluice-cache: off");

    private static final byte[] REASON = ascii("\r\nx-sluice-reason: ");

    /// Whether the `x-sluice-…` headers are written; the request id always is.
    public enum Detail {
        FULL,
        MINIMAL
    }

    void write(ByteBuf out, Detail detail) {
        out.writeBytes(REQUEST_ID);
        ByteBufUtil.writeAscii(out, requestId);
        if (detail == Detail.FULL) {
            if (endpoint != null) {
                out.writeBytes(ENDPOINT);
                ByteBufUtil.writeAscii(out, endpoint);
            }
            out.writeBytes(ATTEMPTS);
            ByteBufUtil.writeAscii(out, Integer.toString(attempts));
            out.writeBytes(QUEUE);
            ByteBufUtil.writeAscii(out, Long.toString(queueMillis));
            out.writeBytes(CACHE);
            if (reason != null) {
                out.writeBytes(REASON);
                ByteBufUtil.writeAscii(out, reason);
            }
        }
        out.writeShort(('\r' << 8) | '\n');
    }

    void write(Http2Headers out, Detail detail) {
        out.add("x-request-id", requestId);
        if (detail == Detail.FULL) {
            if (endpoint != null) {
                out.add("x-sluice-endpoint", endpoint);
            }
            out.add("x-sluice-attempts", Integer.toString(attempts));
            out.add("x-sluice-queue-ms", Long.toString(queueMillis));
            out.add("x-sluice-cache", "off");
            if (reason != null) {
                out.add("x-sluice-reason", reason);
            }
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
