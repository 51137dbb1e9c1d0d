package dev.sluice.proxy.listener;

import dev.sluice.proxy.accounting.ClientMeters.Closed;
import dev.sluice.proxy.call.Call;
import dev.sluice.proxy.call.Client;
import dev.sluice.proxy.call.Incoming;
import dev.sluice.proxy.call.Lane;
import dev.sluice.proxy.call.WebSocketCall;
import dev.sluice.proxy.http.BodyFraming;
import dev.sluice.proxy.http.HeadReader;
import dev.sluice.proxy.http.RequestHead;
import dev.sluice.proxy.http.Violation;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.response.ClientResponse;
import dev.sluice.proxy.response.Decision;
import dev.sluice.proxy.response.Http1Response;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

import javax.net.ssl.SSLException;

/// One client's HTTP/1 connection: finds the requests in its bytes and gives each to a {@link
/// Call}, one after the other. Bytes of a next request wait until the call before it is over.
///
/// A request that breaks the rules is answered and the connection closed, after what the client was
/// still sending has been read for a moment: a close with unread bytes would be a reset, and could
/// destroy the answer on its way.
final class ClientConnection extends ChannelInboundHandlerAdapter
        implements Client, Connected.Member, BodyFraming.Sink {
    private static final Logger log = LoggerFactory.getLogger(ClientConnection.class);
    private static final int MAX_PIPELINED = 64 * 1024;
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(2);

    /// How long a connection of a stopping proxy must have been silent before it is closed.
    private static final long LEAVE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    /// The same for a connection without a request yet: somebody has just opened it to send one.
    private static final long LEAVE_UNUSED_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final ByteBuf CONTINUE =
            Unpooled.unreleasableBuffer(
                            Unpooled.directBuffer()
                                    .writeBytes(
                                            "HTTP/1.1 100 Continue\r\n\r\n"
                                                    .getBytes(StandardCharsets.US_ASCII)))
                    .asReadOnly();

    private final Connected connected;
    private final ListenerConfig config;
    private final Lane lane;
    private final Channel channel;
    private final HeadReader headReader = new HeadReader();
    private final RequestHead head = new RequestHead();
    private final BodyFraming framing = new BodyFraming();

    private @Nullable Incoming call;
    private @Nullable ByteBuf pending;
    private boolean reading = true;
    private boolean running;
    private boolean closing;
    private int requests;
    private long headSince;
    private long idleSince;
    private long closeBy;
    private long rateSince;
    private long rateBytes;

    ClientConnection(Connected connected, ListenerConfig config, Channel channel) {
        this.connected = connected;
        this.config = config;
        this.lane = connected.lane();
        this.channel = channel;
        this.headSince = lane.nanoClock().getAsLong();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        if (channel.isActive()) {
            connected.add(this);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        connected.add(this);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        if (closing) {
            in.release();
            return;
        }
        rateBytes += in.readableBytes();
        ByteBuf before = pending;
        if (before != null) {
            pending = joined(before, in);
        } else {
            pending = in;
        }
        run();
    }

    private ByteBuf joined(ByteBuf before, ByteBuf in) {
        if (before.refCnt() == 1
                && before.maxWritableBytes() >= in.readableBytes()
                && !before.isReadOnly()
                && before.isWritable(in.readableBytes())) {
            before.writeBytes(in);
            in.release();
            return before;
        }
        ByteBuf both = channel.alloc().buffer(2 * (before.readableBytes() + in.readableBytes()));
        both.writeBytes(before).writeBytes(in);
        before.release();
        in.release();
        return both;
    }

    /// Goes through the bytes at hand. Calls may end while it runs, and it goes on with the next
    /// one rather than being entered again.
    private void run() {
        if (running) {
            return;
        }
        running = true;
        try {
            while (pending != null && step(pending)) {}
        } finally {
            running = false;
        }
        if (closing) {
            dropPending();
        }
        readWhenWanted();
    }

    /// @return whether there may be more to do
    private boolean step(ByteBuf in) {
        if (closing) {
            dropPending();
            return false;
        }
        if (!in.isReadable()) {
            dropPending();
            return false;
        }
        if (call == null) {
            // Answers that nobody takes must not pile up.
            return channel.isWritable() && nextHead(in);
        }
        if (framing.done()) {
            return false;
        }
        readBody(in);
        return true;
    }

    private boolean nextHead(ByteBuf in) {
        if (headSince == 0) {
            headSince = lane.nanoClock().getAsLong();
        }
        skipEmptyLine(in);
        int size = headReader.find(in);
        if (size == HeadReader.INCOMPLETE) {
            return false;
        }
        headReader.reset();
        if (requests == 0 && Http2Session.begins(in, size)) {
            speakHttp2(in);
            return false;
        }
        Violation v =
                switch (size) {
                    case HeadReader.LINE_TOO_LONG ->
                            new Violation(414, "request line longer than 8 KiB");
                    case HeadReader.HEAD_TOO_LONG ->
                            new Violation(431, "request head longer than 32 KiB");
                    default -> head.read(in, size);
                };
        if (v != null) {
            refuse(v);
            return false;
        }
        begin();
        return true;
    }

    /// The client knew beforehand that HTTP/2 is spoken here: another handler takes its place.
    private void speakHttp2(ByteBuf in) {
        pending = null;
        closing = true;
        connected.remove(this);
        channel.config().setAutoRead(true);
        new Http2Session(connected, config, channel).replace(this, in);
    }

    /// One empty line before a request is forgiven (RFC 9112, section 2.2).
    private void skipEmptyLine(ByteBuf in) {
        int i = in.readerIndex();
        if (in.readableBytes() > 2 && in.getByte(i) == '\r' && in.getByte(i + 1) == '\n') {
            in.skipBytes(2);
            headReader.reset();
        }
    }

    private void begin() {
        headSince = 0;
        requests++;
        if (head.webSocket()) {
            framing.untilClose();
        } else if (head.fields().chunked()) {
            framing.chunked();
        } else {
            framing.length(Math.max(0, head.fields().contentLength()));
        }
        rateSince = lane.nanoClock().getAsLong();
        rateBytes = 0;
        Incoming next =
                head.webSocket()
                        ? new WebSocketCall(lane, this, channel, head, connected.draining())
                        : new Call(lane, this, head);
        call = next;
        connected.callBegun();
        next.begin();
        if (call != next) {
            return;
        }
        if (framing.done()) {
            next.bodyEnd();
        } else if (head.expectsContinue() && pending != null && !pending.isReadable()) {
            channel.writeAndFlush(CONTINUE.duplicate(), channel.voidPromise());
        }
    }

    private void readBody(ByteBuf in) {
        Incoming current = call;
        if (current == null) {
            return;
        }
        Violation v = framing.read(in, this);
        if (v != null) {
            current.malformed(v.message());
            return;
        }
        if (framing.done() && call == current) {
            current.bodyEnd();
        }
    }

    @Override
    public void content(ByteBuf in, int start, int end) {
        if (call != null) {
            call.body(in.retainedSlice(start, end - start));
        }
    }

    @Override
    public void chunk(ByteBuf in, int start, int end, long size) {}

    @Override
    public void chunkEnd(ByteBuf in, int start, int end) {}

    private void refuse(Violation v) {
        if (v.status() == Violation.NOT_HTTP) {
            close();
            return;
        }
        var response = new Http1Response(channel, head, Api.OTHER, false, Decision.Detail.MINIMAL);
        String message = "Bad request: " + v.message() + ".";
        response.refuse(
                Refusal.invalid(v.status(), "malformed_request", message, null),
                new Decision("rejected", null, 0, 0, null));
        closeAfterAnswer(false);
    }

    // ---- what the call drives

    @Override
    public ClientResponse response(Api api, Decision.Detail detail) {
        boolean keepAlive =
                head.keepAlive()
                        && requests < config.maxRequests()
                        && !connected.draining()
                        && lane.memory().keepAlive();
        return new Http1Response(channel, head, api, keepAlive, detail);
    }

    @Override
    public @Nullable SocketAddress address() {
        return channel.remoteAddress();
    }

    @Override
    public ByteBufAllocator alloc() {
        return channel.alloc();
    }

    @Override
    public void read(boolean wanted) {
        if (wanted && !reading) {
            // The client could send nothing meanwhile: that is not its slowness.
            rateSince = lane.nanoClock().getAsLong();
            rateBytes = 0;
        }
        reading = wanted;
        readWhenWanted();
    }

    @Override
    public void ended(boolean keepAlive) {
        boolean requestRead = framing.done();
        call = null;
        connected.callEnded();
        reading = true;
        idleSince = lane.nanoClock().getAsLong();
        if (!keepAlive || connected.draining()) {
            closeAfterAnswer(requestRead);
            return;
        }
        run();
    }

    @Override
    public void close() {
        closing = true;
        channel.close();
    }

    /// @param requestRead whether nothing of the request is still on its way
    private void closeAfterAnswer(boolean requestRead) {
        closing = true;
        if (!running) {
            dropPending();
        }
        closeBy =
                lane.nanoClock().getAsLong() + lane.terms().get().limits().clientStall().toNanos();
        var flushed = channel.writeAndFlush(Unpooled.EMPTY_BUFFER);
        if (requestRead) {
            flushed.addListener(f -> channel.close());
            return;
        }
        channel.config().setAutoRead(true);
        flushed.addListener(
                f -> {
                    closeBy = lane.nanoClock().getAsLong() + LINGER_NANOS;
                    SslHandler tls = channel.pipeline().get(SslHandler.class);
                    if (tls != null) {
                        tls.closeOutbound();
                    } else if (channel instanceof DuplexChannel duplex) {
                        duplex.shutdownOutput();
                    }
                });
    }

    private void readWhenWanted() {
        if (closing) {
            return;
        }
        boolean full =
                pending != null
                        && pending.readableBytes() > MAX_PIPELINED
                        && (call == null ? !channel.isWritable() : framing.done());
        boolean wanted = reading && !full;
        if (channel.config().isAutoRead() != wanted) {
            channel.config().setAutoRead(wanted);
        }
    }

    private void dropPending() {
        if (pending != null) {
            pending.release();
            pending = null;
        }
    }

    // ---- time, drain, and the client's leaving

    @Override
    public void tick(long now) {
        if (closing) {
            if (closeBy != 0 && now - closeBy > 0) {
                if (!channel.isWritable()) {
                    lane.clients().closed(Closed.STALLED);
                }
                channel.close();
            }
            return;
        }
        Incoming current = call;
        if (current != null) {
            if (!framing.done() && reading) {
                checkRate(now, current);
            }
            current.tick(now);
            return;
        }
        boolean silent = pending == null || !pending.isReadable();
        if (connected.leaving() && silent && leaves(now)) {
            channel.close();
        } else if (headSince != 0 && now - headSince > config.head().toNanos()) {
            lane.clients().closed(Closed.SLOW_HEAD);
            if (silent) {
                channel.close();
            } else {
                refuse(
                        new Violation(
                                408,
                                "the request head did not arrive within "
                                        + config.head().toSeconds()
                                        + " s"));
            }
        } else if (headSince == 0 && now - idleSince > config.keepAlive().toNanos()) {
            channel.close();
        }
    }

    private boolean leaves(long now) {
        long patience = requests == 0 ? LEAVE_UNUSED_NANOS : LEAVE_NANOS;
        return now - Math.max(headSince, idleSince) > patience;
    }

    private void checkRate(long now, Incoming current) {
        if (now - rateSince < config.head().toNanos()) {
            return;
        }
        long seconds = Math.max(1, TimeUnit.NANOSECONDS.toSeconds(now - rateSince));
        if (rateBytes < config.minBodyRate() * seconds) {
            current.tooSlow(config.minBodyRate());
            return;
        }
        rateSince = now;
        rateBytes = 0;
    }

    @Override
    public void drain() {
        if (call != null) {
            call.lastOnConnection();
        }
    }

    @Override
    public void abort() {
        if (call != null) {
            call.abort();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (call != null) {
            call.clientWritable(channel.isWritable());
        } else if (channel.isWritable()) {
            run();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        closing = true;
        connected.remove(this);
        if (call != null) {
            call.clientGone();
        }
        if (!running) {
            dropPending();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (!(cause instanceof IOException || cause.getCause() instanceof SSLException)) {
            log.error("connection of {}", channel.remoteAddress(), cause);
        }
        channel.close();
    }
}
