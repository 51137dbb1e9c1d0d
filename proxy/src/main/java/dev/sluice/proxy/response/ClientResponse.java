package dev.sluice.proxy.response;

import dev.sluice.proxy.http.BodyFraming;
import dev.sluice.proxy.http.Chunks;
import dev.sluice.proxy.http.Fields;
import dev.sluice.proxy.http.RequestHead;
import dev.sluice.proxy.http.ResponseHead;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.Refusal;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

/// The response to one call, as bytes on the client's HTTP/1 connection.
///
/// The status is committed once. The engine's bytes are then relayed as they came, framing
/// included, where client and engine frame alike (the usual case: one buffer in, the same buffer
/// out), and framed anew where they do not (HTTP/1.0 clients, engines that end their body by
/// closing).
///
/// Event loop only.
public final class ClientResponse implements BodyFraming.Sink {
    private static final byte[] CHUNKED = ascii("Transfer-Encoding: chunked\r\n");
    private static final byte[] CONTENT_LENGTH = ascii("Content-Length: ");
    private static final byte[] CLOSE = ascii("Connection: close\r\n");
    private static final byte[] KEEP_ALIVE = ascii("Connection: keep-alive\r\n");
    private static final byte[] WEBSOCKET = ascii("Connection: Upgrade\r\nUpgrade: websocket\r\n");
    private static final byte[] NO_RETRY = ascii("x-should-retry: false\r\n");
    private static final byte[] CRLF = ascii("\r\n");

    /// How the body reaches the client.
    private enum Body {
        /// As it came from the engine.
        AS_IS,
        /// Each piece of content becomes a chunk.
        CHUNK_EACH,
        /// Content only.
        BARE
    }

    private final Channel channel;
    private final Decision.Detail detail;
    private final boolean http11;
    private final boolean headOnly;
    private final Api api;
    private boolean keepAlive;
    private boolean committed;
    private boolean noRetry;
    private boolean chunked;
    private Body body = Body.AS_IS;
    private int status;
    private long bytesOut;
    private long chunkLeft;
    private int chunkEndLeft;

    private @Nullable StreamTap tap;
    private long now;
    private int from = -1;
    private int to = -1;

    /// @param keepAlive whether the connection may live on after this response
    public ClientResponse(
            Channel channel,
            RequestHead request,
            Api api,
            boolean keepAlive,
            Decision.Detail detail) {
        this.channel = channel;
        this.detail = detail;
        this.http11 = request.http11();
        this.headOnly = request.isHead();
        this.api = api;
        this.keepAlive = keepAlive;
    }

    /// Whether the status went out, so that nothing can be taken back.
    public boolean committed() {
        return committed;
    }

    /// What the client got; 0 before.
    public int status() {
        return status;
    }

    public long bytesOut() {
        return bytesOut;
    }

    public boolean keepAlive() {
        return keepAlive;
    }

    /// Closes the connection after this response.
    public void lastOnConnection() {
        keepAlive = false;
    }

    /// Tells the client's SDK not to retry by itself.
    public void adviseAgainstRetry() {
        noRetry = true;
    }

    /// Answers with an error of Sluice's own.
    public void refuse(Refusal refusal, Decision decision) {
        answer(
                refusal.status(),
                ErrorBody.of(refusal, api, decision.requestId()),
                refusal.retryAfter(),
                decision);
    }

    /// Answers with a JSON document of Sluice's own.
    public void answer(int code, String json, @Nullable Duration retryAfter, Decision decision) {
        byte[] content = json.getBytes(StandardCharsets.UTF_8);
        ByteBuf out = channel.alloc().directBuffer(512 + content.length);
        ByteBufUtil.writeAscii(
                out,
                "HTTP/1.1 " + code + " " + phrase(code) + "\r\nContent-Type: application/json\r\n");
        length(out, content.length);
        if (retryAfter != null) {
            retryAfter(out, retryAfter);
        }
        connection(out);
        decision.write(out, detail);
        out.writeBytes(CRLF);
        if (!headOnly) {
            out.writeBytes(content);
        }
        committed = true;
        status = code;
        bytesOut += out.readableBytes();
        channel.writeAndFlush(out, channel.voidPromise());
    }

    private static void retryAfter(ByteBuf out, Duration wait) {
        long millis = Math.max(1, wait.toMillis());
        ByteBufUtil.writeAscii(
                out,
                "Retry-After: "
                        + Math.max(1, Math.ceilDiv(millis, 1000))
                        + "\r\nretry-after-ms: "
                        + millis
                        + "\r\n");
    }

    /// Commits the engine's status and head.
    ///
    /// @param streamTap watches the body; null when nobody needs to
    public void commit(ResponseHead head, Decision decision, @Nullable StreamTap streamTap) {
        committed = true;
        status = head.status();
        tap = streamTap;
        Fields fields = head.fields();
        ByteBuf out = channel.alloc().directBuffer(384 + fields.count() * 48);
        head.copyStatusLine(out);
        for (int i = 0; i < fields.count(); i++) {
            if (forwarded(fields, i)) {
                fields.copyLine(i, out);
            }
        }
        frame(head, out);
        connection(out);
        decision.write(out, detail);
        out.writeBytes(CRLF);
        bytesOut += out.readableBytes();
        channel.write(out, channel.voidPromise());
    }

    private static boolean forwarded(Fields fields, int i) {
        return switch (fields.kind(i)) {
            case CONTENT_LENGTH,
                    TRANSFER_ENCODING,
                    CONNECTION,
                    KEEP_ALIVE,
                    PROXY_CONNECTION,
                    PROXY_AUTHENTICATE,
                    TE,
                    TRAILER,
                    UPGRADE,
                    HTTP2_SETTINGS,
                    REQUEST_ID,
                    SLUICE ->
                    false;
            case OTHER,
                    HOST,
                    PROXY_AUTHORIZATION,
                    EXPECT,
                    AUTHORIZATION,
                    API_KEY,
                    AZURE_API_KEY,
                    COOKIE,
                    CONTENT_TYPE,
                    CONTENT_ENCODING,
                    RETRY_AFTER,
                    FORWARDED,
                    X_FORWARDED ->
                    !fields.nominated(i);
        };
    }

    private void frame(ResponseHead head, ByteBuf out) {
        Fields fields = head.fields();
        if (head.bodyless(headOnly)) {
            body = Body.BARE;
            if (fields.contentLength() >= 0 && head.status() != 204) {
                length(out, fields.contentLength());
            }
            return;
        }
        if (fields.contentLength() >= 0) {
            length(out, fields.contentLength());
            return;
        }
        if (!http11) {
            body = Body.BARE;
            keepAlive = false;
            return;
        }
        chunked = true;
        body = fields.chunked() ? Body.AS_IS : Body.CHUNK_EACH;
        out.writeBytes(CHUNKED);
    }

    private static void length(ByteBuf out, long bytes) {
        out.writeBytes(CONTENT_LENGTH);
        ByteBufUtil.writeAscii(out, Long.toString(bytes));
        out.writeBytes(CRLF);
    }

    private void connection(ByteBuf out) {
        if (status == 101) {
            out.writeBytes(WEBSOCKET);
        } else if (!keepAlive) {
            out.writeBytes(CLOSE);
        } else if (!http11) {
            out.writeBytes(KEEP_ALIVE);
        }
        if (noRetry) {
            out.writeBytes(NO_RETRY);
        }
    }

    /// Framing events of one buffer follow.
    public void bufferBegins(long nowNanos) {
        now = nowNanos;
        from = -1;
    }

    @Override
    public void chunk(ByteBuf in, int start, int end, long size) {
        chunkLeft = size;
        chunkEndLeft = 2;
        if (body != Body.AS_IS) {
            return;
        }
        if (start >= 0) {
            span(in, start, end);
            return;
        }
        cut(in);
        write(Chunks.begin(channel.alloc(), size));
    }

    @Override
    public void content(ByteBuf in, int start, int end) {
        chunkLeft -= end - start;
        if (tap != null) {
            tap.content(in, start, end, now);
        }
        if (body == Body.CHUNK_EACH) {
            write(Chunks.begin(channel.alloc(), end - start));
            write(in.retainedSlice(start, end - start));
            write(Chunks.end());
            return;
        }
        span(in, start, end);
    }

    @Override
    public void chunkEnd(ByteBuf in, int start, int end) {
        chunkEndLeft -= end - start;
        if (body == Body.AS_IS) {
            span(in, start, end);
        }
    }

    /// Extends the range that goes out as it is.
    private void span(ByteBuf in, int start, int end) {
        if (from >= 0 && start != to) {
            cut(in);
        }
        if (from < 0) {
            from = start;
        }
        to = end;
    }

    private void cut(ByteBuf in) {
        if (from >= 0) {
            write(in.retainedSlice(from, to - from));
            from = -1;
        }
    }

    /// The buffer's events were all given; takes its reference over and writes what of it goes out.
    public void bufferRead(ByteBuf in) {
        if (from < 0) {
            in.release();
            return;
        }
        in.setIndex(from, to);
        from = -1;
        write(in);
    }

    private void write(ByteBuf out) {
        bytesOut += out.readableBytes();
        channel.write(out, channel.voidPromise());
    }

    public void flush() {
        channel.flush();
    }

    /// Ends the body as the client expects it.
    public void end() {
        if (chunked) {
            write(Chunks.last());
        }
        channel.flush();
    }

    /// Tells the client, as far as HTTP still allows, that the response is broken, and makes sure
    /// that the connection is closed after it: an event stream gets an error event and no `[DONE]`.
    public void breakOff(Refusal refusal, String requestId, boolean eventStream) {
        keepAlive = false;
        if (eventStream && (chunked || body == Body.BARE)) {
            breakOffStream(refusal, requestId);
        }
        channel.flush();
    }

    private void breakOffStream(Refusal refusal, String requestId) {
        if (body == Body.AS_IS && chunkLeft > 0) {
            // The client still waits for the rest of a chunk: blank lines fill it, and end the
            // event.
            ByteBuf rest = channel.alloc().buffer((int) Math.min(chunkLeft, 64 * 1024));
            for (int i = rest.writableBytes(); i > 0; i--) {
                rest.writeByte('\n');
            }
            chunkLeft -= rest.readableBytes();
            write(rest);
            if (chunkLeft > 0) {
                return;
            }
        }
        if (body == Body.AS_IS && chunkEndLeft > 0) {
            write(Chunks.endFrom(chunkEndLeft));
        }
        String event =
                (tap == null || tap.betweenEvents() ? "" : "\n\n")
                        + (api == Api.MESSAGES ? "event: error\n" : "")
                        + "data: "
                        + ErrorBody.of(refusal, api, requestId)
                        + "\n\n";
        byte[] bytes = event.getBytes(StandardCharsets.UTF_8);
        ByteBuf out = channel.alloc().directBuffer(bytes.length + 16);
        if (chunked) {
            ByteBufUtil.writeAscii(out, Integer.toHexString(bytes.length));
            out.writeBytes(CRLF);
        }
        out.writeBytes(bytes);
        if (chunked) {
            out.writeBytes(CRLF);
        }
        write(out);
    }

    private static String phrase(int status) {
        return io.netty.handler.codec.http.HttpResponseStatus.valueOf(status).reasonPhrase();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
