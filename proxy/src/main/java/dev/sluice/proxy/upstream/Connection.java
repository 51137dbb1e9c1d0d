package dev.sluice.proxy.upstream;

import dev.sluice.proxy.http.BodyFraming;
import dev.sluice.proxy.http.Chunks;
import dev.sluice.proxy.http.Field;
import dev.sluice.proxy.http.HeadReader;
import dev.sluice.proxy.http.ResponseHead;
import dev.sluice.proxy.http.Violation;
import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.pool.Endpoint;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

import org.jspecify.annotations.Nullable;

/// One connection to one endpoint: carries one exchange after another, idle in between. An idle
/// connection that says or closes anything is closed and forgotten.
final class Connection extends ChannelInboundHandlerAdapter {
    private static final int MAX_INFORMATIONAL = 10;

    private final Connections home;
    private final Endpoint endpoint;
    private final Channel channel;
    private final HeadReader headReader = new HeadReader();
    private final ResponseHead head = new ResponseHead();
    private final BodyFraming framing = new BodyFraming();

    private @Nullable Exchange exchange;
    private @Nullable ByteBuf partialHead;
    private boolean inBody;
    private boolean responded;
    private boolean reused;
    private boolean streamed;
    private boolean chunkedRequest;
    private boolean requestSent;
    private int informational;
    private long idleSince;

    Connection(Connections home, Endpoint endpoint, Channel channel) {
        this.home = home;
        this.endpoint = endpoint;
        this.channel = channel;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    boolean usable() {
        return channel.isActive();
    }

    long idleSince() {
        return idleSince;
    }

    /// Whether the last response on it was an event stream: some engines close after those.
    boolean streamed() {
        return streamed;
    }

    void begin(Exchange next, boolean onPooled) {
        exchange = next;
        next.on(this);
        reused = onPooled;
        responded = false;
        inBody = false;
        informational = 0;
        requestSent = next.body().isComplete();
        write(next);
        next.listener().sent(onPooled);
    }

    private void write(Exchange next) {
        var body = next.body();
        boolean copy = body.small();
        ByteBuf out =
                channel.alloc()
                        .directBuffer(
                                512 + next.head().fields().count() * 48 + (copy ? body.kept() : 0));
        home.writer()
                .write(next.head(), endpoint, next.requestId(), next.listener().trace(), body, out);
        chunkedRequest = !body.isComplete() && next.head().fields().contentLength() < 0;
        if (copy && !chunkedRequest) {
            body.copyTo(out);
            channel.writeAndFlush(out, channel.voidPromise());
            return;
        }
        channel.write(out, channel.voidPromise());
        for (ByteBuf slice : body.slices()) {
            writePart(slice.retainedDuplicate());
        }
        channel.flush();
    }

    void writeChunk(ByteBuf content) {
        writePart(content);
        channel.flush();
    }

    private void writePart(ByteBuf content) {
        if (!content.isReadable()) {
            content.release();
            return;
        }
        if (!chunkedRequest) {
            channel.write(content, channel.voidPromise());
            return;
        }
        channel.write(
                Chunks.begin(channel.alloc(), content.readableBytes()), channel.voidPromise());
        channel.write(content, channel.voidPromise());
        channel.write(Chunks.end(), channel.voidPromise());
    }

    void writeLastChunk() {
        requestSent = true;
        if (chunkedRequest) {
            channel.writeAndFlush(Chunks.last(), channel.voidPromise());
        }
    }

    void autoRead(boolean wanted) {
        if (channel.config().isAutoRead() != wanted) {
            channel.config().setAutoRead(wanted);
        }
    }

    void close() {
        exchange = null;
        channel.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        if (exchange == null) {
            in.release();
            home.forget(this);
            ctx.close();
            return;
        }
        responded = true;
        if (!inBody) {
            in = head(in);
            if (in == null) {
                return;
            }
        }
        body(in);
    }

    /// Reads response heads, informational ones among them.
    ///
    /// @return what follows the final head, or null while there is nothing more to do
    private @Nullable ByteBuf head(ByteBuf message) {
        ByteBuf in = joined(message);
        while (true) {
            int size = headReader.find(in);
            if (size == HeadReader.INCOMPLETE) {
                partialHead = in;
                return null;
            }
            headReader.reset();
            Violation v =
                    size < 0 ? new Violation(431, "response head too large") : head.read(in, size);
            if (v == null && head.status() < 200 && !switched()) {
                if (head.status() == 101 || ++informational > MAX_INFORMATIONAL) {
                    v = new Violation(502, "unexpected informational response " + head.status());
                } else {
                    continue;
                }
            }
            if (v == null) {
                frame();
                return in;
            }
            in.release();
            broken(AttemptResult.PROTOCOL_ERROR, v.message());
            return null;
        }
    }

    /// Whether the endpoint agreed to the WebSocket that it was asked for.
    private boolean switched() {
        return head.status() == 101
                && current().head().webSocket()
                && "websocket".equalsIgnoreCase(head.fields().value(Field.UPGRADE));
    }

    private ByteBuf joined(ByteBuf message) {
        ByteBuf before = partialHead;
        if (before == null) {
            return message;
        }
        partialHead = null;
        ByteBuf both = channel.alloc().buffer(before.readableBytes() + message.readableBytes());
        both.writeBytes(before).writeBytes(message);
        before.release();
        message.release();
        return both;
    }

    private void frame() {
        Exchange now = current();
        inBody = true;
        streamed = isEventStream();
        if (head.status() == 101) {
            framing.untilClose();
        } else if (head.bodyless(now.head().isHead())) {
            framing.none();
        } else if (head.fields().chunked()) {
            framing.chunked();
        } else if (head.fields().contentLength() >= 0) {
            framing.length(head.fields().contentLength());
        } else {
            framing.untilClose();
        }
        now.listener().head(head);
    }

    private boolean isEventStream() {
        var fields = head.fields();
        for (int i = 0; i < fields.count(); i++) {
            if (fields.kind(i) == Field.CONTENT_TYPE) {
                return fields.valueStartsWith(i, "text/event-stream");
            }
        }
        return false;
    }

    private void body(ByteBuf in) {
        Exchange now = exchange;
        if (now == null) {
            in.release();
            return;
        }
        ExchangeListener listener = now.listener();
        listener.bufferBegins(in);
        Violation v = framing.read(in, listener.sink());
        boolean surplus = in.isReadable();
        listener.bufferRead(in);
        if (now.isOver()) {
            return;
        }
        if (v != null) {
            broken(AttemptResult.PROTOCOL_ERROR, v.message());
            return;
        }
        if (framing.done()) {
            end(surplus);
        }
    }

    private void end(boolean surplus) {
        Exchange now = current();
        exchange = null;
        now.over();
        boolean again = head.keepAlive() && requestSent && !surplus && channel.isActive();
        autoRead(true);
        if (again) {
            idleSince = home.now();
            home.keep(this);
        } else {
            channel.close();
        }
        now.listener().ended();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        Exchange now = exchange;
        if (now != null) {
            now.listener().readComplete();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        Exchange now = exchange;
        if (now != null) {
            now.listener().writable(channel.isWritable());
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (partialHead != null) {
            partialHead.release();
            partialHead = null;
        }
        Exchange now = exchange;
        if (now == null) {
            home.forget(this);
            return;
        }
        exchange = null;
        if (inBody && framing.endsWithClose()) {
            now.over();
            now.listener().ended();
            return;
        }
        if (!responded && reused) {
            home.learnEarlyClose(this);
            now.fail(
                    AttemptResult.STALE_CONNECTION,
                    false,
                    "the pooled connection was closed by the endpoint");
            return;
        }
        now.fail(
                inBody ? AttemptResult.TRUNCATED : AttemptResult.RESET,
                responded,
                inBody
                        ? "the endpoint closed the connection inside the response"
                        : "the endpoint closed the connection before it answered");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (!(cause instanceof java.io.IOException)) {
            org.slf4j.LoggerFactory.getLogger(Connection.class)
                    .error("upstream {}", endpoint, cause);
        }
        ctx.close();
    }

    private void broken(AttemptResult result, String why) {
        Exchange now = current();
        exchange = null;
        channel.close();
        now.fail(result, true, why);
    }

    private Exchange current() {
        Exchange now = exchange;
        if (now == null) {
            throw new IllegalStateException("no exchange on " + channel);
        }
        return now;
    }
}
