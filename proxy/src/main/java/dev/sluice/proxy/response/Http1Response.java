package dev.sluice.proxy.response;

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

/// A response as bytes on the client's HTTP/1 connection.
///
/// The engine's bytes are then relayed as they came, framing included, where client and engine
/// frame alike (the usual case: one buffer in, the same buffer out), and framed anew where they do
/// not (HTTP/1.0 clients, engines that end their body by closing). The head waits for the first
/// bytes of the body, and few of them are copied behind it: one buffer and one plain write cost
/// less than two buffers and a gathering one.
public final class Http1Response extends ClientResponse {
    private static final byte[] CHUNKED = ascii("Transfer-Encoding: chunked\r\n");
    private static final byte[] CONTENT_LENGTH = ascii("Content-Length: ");
    private static final byte[] CLOSE = ascii("Connection: close\r\n");
    private static final byte[] KEEP_ALIVE = ascii("Connection: keep-alive\r\n");
    private static final byte[] WEBSOCKET = ascii("Connection: Upgrade\r\nUpgrade: websocket\r\n");
    private static final byte[] NO_RETRY = ascii("x-should-retry: false\r\n");
    private static final byte[] CRLF = ascii("\r\n");

    /// Room behind the head for first bytes of the body.
    private static final int JOINED = 1536;

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
    private final boolean http11;
    private boolean keepAlive;
    private boolean chunked;
    private Body body = Body.AS_IS;
    private long chunkLeft;
    private int chunkEndLeft;
    private int from = -1;
    private int to = -1;
    private @Nullable ByteBuf waitingHead;

    /// @param keepAlive whether the connection may live on after this response
    public Http1Response(
            Channel channel,
            RequestHead request,
            Api api,
            boolean keepAlive,
            Decision.Detail detail) {
        super(request.isHead(), api, detail);
        this.channel = channel;
        this.http11 = request.http11();
        this.keepAlive = keepAlive;
    }

    @Override
    public boolean keepAlive() {
        return keepAlive;
    }

    @Override
    public void lastOnConnection() {
        keepAlive = false;
    }

    @Override
    public boolean writable() {
        return channel.isWritable();
    }

    @Override
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
        if (code == 426) {
            // RFC 6455, 4.4: the version that would have been understood.
            ByteBufUtil.writeAscii(out, "Sec-WebSocket-Version: 13\r\n");
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
        ByteBufUtil.writeAscii(
                out,
                "Retry-After: "
                        + retryAfterSeconds(wait)
                        + "\r\nretry-after-ms: "
                        + retryAfterMillis(wait)
                        + "\r\n");
    }

    @Override
    public void commit(ResponseHead head, Decision decision, @Nullable StreamTap streamTap) {
        committed = true;
        status = head.status();
        tap = streamTap;
        Fields fields = head.fields();
        ByteBuf out = channel.alloc().directBuffer(384 + fields.count() * 48 + JOINED);
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
        waitingHead = out;
        if (status == 101) {
            // What follows is written past this response.
            writeHead();
        }
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

    @Override
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

    @Override
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
        ByteBuf head = waitingHead;
        if (head == null) {
            bytesOut += out.readableBytes();
            channel.write(out, channel.voidPromise());
            return;
        }
        if (out.readableBytes() <= JOINED && out.readableBytes() <= head.writableBytes()) {
            head.writeBytes(out);
            out.release();
            writeHead();
            return;
        }
        writeHead();
        write(out);
    }

    private void writeHead() {
        ByteBuf head = waitingHead;
        if (head != null) {
            waitingHead = null;
            bytesOut += head.readableBytes();
            channel.write(head, channel.voidPromise());
        }
    }

    @Override
    public void flush() {
        writeHead();
        channel.flush();
    }

    @Override
    public void end() {
        if (chunked) {
            write(Chunks.last());
        }
        flush();
    }

    @Override
    public void breakOff(Refusal refusal, String requestId, boolean eventStream) {
        keepAlive = false;
        if (eventStream && (chunked || body == Body.BARE)) {
            breakOffStream(refusal, requestId);
        }
        flush();
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
        byte[] bytes = errorEvent(refusal, requestId);
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
