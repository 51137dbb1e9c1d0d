package dev.sluice.proxy.response;

import dev.sluice.proxy.http.Fields;
import dev.sluice.proxy.http.RequestHead;
import dev.sluice.proxy.http.ResponseHead;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.Refusal;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.AsciiString;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

/// A response as frames on one HTTP/2 stream. The last piece of content is held back until it is
/// clear whether more follows in the same read, so that a short answer ends in its only DATA frame.
public final class Http2Response extends ClientResponse {
    private static final AsciiString CONTENT_TYPE = AsciiString.cached("content-type");
    private static final AsciiString JSON = AsciiString.cached("application/json");
    private static final AsciiString CONTENT_LENGTH = AsciiString.cached("content-length");
    private static final AsciiString NO_RETRY = AsciiString.cached("x-should-retry");
    private static final AsciiString FALSE = AsciiString.cached("false");
    private static final AsciiString RETRY_AFTER = AsciiString.cached("retry-after");
    private static final AsciiString RETRY_AFTER_MS = AsciiString.cached("retry-after-ms");

    /// The stream that carries a response.
    public interface Stream {
        void headers(Http2Headers headers, boolean end);

        /// Takes the reference of `content` over.
        void content(ByteBuf content, boolean end);

        void flush();

        /// Resets the stream once what was written has gone out.
        void breakOff();

        /// Whether the client's windows and its connection take more now.
        boolean writable();
    }

    private final Stream stream;
    private @Nullable ByteBuf held;
    private boolean ended;

    public Http2Response(Stream stream, RequestHead request, Api api, Decision.Detail detail) {
        super(request.isHead(), api, detail);
        this.stream = stream;
    }

    /// Nobody takes the response any more.
    public void gone() {
        ended = true;
        if (held != null) {
            held.release();
            held = null;
        }
    }

    @Override
    public void answer(int code, String json, @Nullable Duration retryAfter, Decision decision) {
        byte[] content = json.getBytes(StandardCharsets.UTF_8);
        Http2Headers headers = head(code, 12);
        headers.add(CONTENT_TYPE, JSON);
        headers.add(CONTENT_LENGTH, Integer.toString(content.length));
        if (retryAfter != null) {
            headers.add(RETRY_AFTER, Long.toString(retryAfterSeconds(retryAfter)));
            headers.add(RETRY_AFTER_MS, Long.toString(retryAfterMillis(retryAfter)));
        }
        decision.write(headers, detail);
        stream.headers(headers, headOnly);
        ended |= headOnly;
        if (!ended) {
            send(Unpooled.wrappedBuffer(content));
        }
        end();
    }

    @Override
    public void commit(ResponseHead head, Decision decision, @Nullable StreamTap streamTap) {
        tap = streamTap;
        Fields fields = head.fields();
        Http2Headers headers = head(head.status(), fields.count() + 8);
        for (int i = 0; i < fields.count(); i++) {
            if (forwarded(fields, i)) {
                headers.add(fields.lowerName(i), fields.rawValue(i));
            }
        }
        boolean bodyless = head.bodyless(headOnly);
        if (fields.contentLength() >= 0 && head.status() != 204) {
            headers.add(CONTENT_LENGTH, Long.toString(fields.contentLength()));
        }
        decision.write(headers, detail);
        stream.headers(headers, bodyless);
        ended |= bodyless;
    }

    private Http2Headers head(int code, int size) {
        committed = true;
        status = code;
        Http2Headers headers = new DefaultHttp2Headers(false, size);
        headers.status(Integer.toString(code));
        if (noRetry) {
            headers.add(NO_RETRY, FALSE);
        }
        return headers;
    }

    @Override
    public void bufferBegins(long nowNanos) {
        now = nowNanos;
    }

    @Override
    public void chunk(ByteBuf in, int start, int end, long size) {}

    @Override
    public void content(ByteBuf in, int start, int end) {
        if (tap != null) {
            tap.content(in, start, end, now);
        }
        if (!ended) {
            send(in.retainedSlice(start, end - start));
        }
    }

    @Override
    public void chunkEnd(ByteBuf in, int start, int end) {}

    @Override
    public void bufferRead(ByteBuf in) {
        in.release();
    }

    private void send(ByteBuf next) {
        ByteBuf before = held;
        held = next;
        if (before != null) {
            write(before, false);
        }
    }

    private void write(ByteBuf out, boolean end) {
        bytesOut += out.readableBytes();
        stream.content(out, end);
    }

    @Override
    public void flush() {
        if (held != null) {
            ByteBuf last = held;
            held = null;
            write(last, false);
        }
        stream.flush();
    }

    @Override
    public void end() {
        if (!ended) {
            ended = true;
            ByteBuf last = held == null ? Unpooled.EMPTY_BUFFER : held;
            held = null;
            write(last, true);
        }
        stream.flush();
    }

    @Override
    public void breakOff(Refusal refusal, String requestId, boolean eventStream) {
        if (ended) {
            return;
        }
        if (eventStream) {
            send(Unpooled.wrappedBuffer(errorEvent(refusal, requestId)));
        }
        flush();
        ended = true;
        stream.breakOff();
    }

    @Override
    public boolean writable() {
        return stream.writable();
    }

    /// Other streams of the connection go on, whatever becomes of this one.
    @Override
    public boolean keepAlive() {
        return true;
    }

    @Override
    public void lastOnConnection() {}
}
