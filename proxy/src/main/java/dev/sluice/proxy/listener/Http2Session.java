package dev.sluice.proxy.listener;

import dev.sluice.proxy.http.Fields;
import dev.sluice.proxy.http.Http2Head;
import dev.sluice.proxy.http.RequestHead;
import dev.sluice.proxy.http.Violation;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2LocalFlowController;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import javax.net.ssl.SSLException;

/// One client's HTTP/2 connection. Netty's codec keeps the protocol's state, windows and most
/// limits; here streams become {@link StreamClient}s without a channel or an object per frame.
///
/// The connection's window is given back as bytes come and each stream's only as its call takes
/// them: a call that waits for an endpoint holds up nobody else, and what a connection can make the
/// proxy hold is bounded by streams × window.
///
/// It ends in two steps (RFC 9113, section 6.8): a GOAWAY that still lets requests in, then one
/// that names the last of them, then a close once all streams are over.
final class Http2Session extends Http2FrameAdapter implements Connected.Member {
    private static final Logger log = LoggerFactory.getLogger(Http2Session.class);
    private static final ByteBuf PRI =
            Unpooled.unreleasableBuffer(
                    Unpooled.copiedBuffer("PRI * HTTP/2.0\r\n\r\n", StandardCharsets.US_ASCII)
                            .asReadOnly());
    private static final int MAX_STREAMS = 100;
    private static final int STREAM_WINDOW = 256 * 1024;
    private static final int MAX_LINE = 8 * 1024;
    private static final int MAX_SPARE = 16;
    private static final int CONTROL_QUEUE = 2000;
    private static final int EMPTY_DATA = 10;
    private static final int SMALL_CONTINUATIONS = 16;
    private static final long GOAWAY_STEP_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LEAVE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private enum Going {
        NO,
        /// Requests that are on their way are still served.
        SOON,
        LAST_KNOWN
    }

    private final Connected connected;
    private final ListenerConfig config;
    private final Channel channel;
    private final Http2Connection connection = new DefaultHttp2Connection(true);
    private final Http2Connection.PropertyKey key = connection.newKey();
    private final ArrayDeque<RequestHead> spare = new ArrayDeque<>();

    /// The last streams that were reset here before their requests had ended.
    private final ArrayDeque<Integer> cutShort = new ArrayDeque<>();

    private final Handler handler;
    private final Patience patience;

    private Going going = Going.NO;
    private boolean greeted;
    private boolean flushing;
    private int requests;
    private long idleSince;
    private long goingSince;

    Http2Session(Connected connected, ListenerConfig config, Channel channel) {
        this.connected = connected;
        this.config = config;
        this.channel = channel;
        this.idleSince = now();
        this.patience = new Patience(idleSince);
        connection
                .local()
                .flowController(new DefaultHttp2LocalFlowController(connection, 0.5f, true));
        connection
                .remote()
                .flowController(
                        new DefaultHttp2RemoteFlowController(
                                connection,
                                new UniformStreamByteDistributor(connection),
                                this::writabilityChanged));
        connection.addListener(new Closings());
        this.handler = new Builder().make(this);
    }

    /// Whether this head is the first part of the client's preface (RFC 9113, section 3.4).
    static boolean begins(ByteBuf in, int size) {
        return size == PRI.readableBytes()
                && ByteBufUtil.equals(PRI, 0, in, in.readerIndex(), size);
    }

    /// What stands in the pipeline for it.
    ChannelHandler handler() {
        return handler;
    }

    /// Takes the place of `before`, and the reference of the bytes that it has read.
    void replace(ChannelHandler before, ByteBuf read) {
        channel.pipeline().replace(before, null, handler);
        try {
            handler.channelRead(handler.ctx(), read);
        } catch (Exception e) {
            channel.pipeline().fireExceptionCaught(e);
        }
    }

    Connected connected() {
        return connected;
    }

    @Nullable SocketAddress address() {
        return channel.remoteAddress();
    }

    ByteBufAllocator alloc() {
        return channel.alloc();
    }

    private long now() {
        return connected.lane().nanoClock().getAsLong();
    }

    // ---- frames

    @Override
    public void onHeadersRead(
            ChannelHandlerContext ctx,
            int id,
            Http2Headers headers,
            int dependency,
            short weight,
            boolean exclusive,
            int padding,
            boolean end)
            throws Http2Exception {
        onHeadersRead(ctx, id, headers, padding, end);
    }

    @Override
    public void onHeadersRead(
            ChannelHandlerContext ctx, int id, Http2Headers headers, int padding, boolean end)
            throws Http2Exception {
        Http2Stream stream = connection.stream(id);
        if (stream == null) {
            return;
        }
        StreamClient known = client(stream);
        if (known != null) {
            trailers(id, headers, end);
            known.requestEnd();
            return;
        }
        if (connection.numActiveStreams() > MAX_STREAMS) {
            throw Http2Exception.streamError(
                    id, Http2Error.REFUSED_STREAM, "more than %d streams", MAX_STREAMS);
        }
        request(stream, headers, end);
    }

    private static void trailers(int id, Http2Headers headers, boolean end) throws Http2Exception {
        if (!end) {
            throw malformed(id, "a second head");
        }
        for (Map.Entry<CharSequence, CharSequence> field : headers) {
            if (field.getKey().length() == 0 || field.getKey().charAt(0) == ':') {
                throw malformed(id, "a pseudo-header in trailers");
            }
        }
    }

    private void request(Http2Stream stream, Http2Headers headers, boolean end)
            throws Http2Exception {
        RequestHead head = spare.isEmpty() ? new RequestHead() : spare.pop();
        Violation v;
        ByteBuf text = alloc().buffer(512);
        try {
            String malformed = Http2Head.write(headers, end, text);
            if (malformed != null) {
                throw malformed(stream.id(), malformed);
            }
            v = read(head, text);
        } finally {
            text.release();
        }
        if (v != null) {
            spend(Patience.REFUSED);
        }
        var client = new StreamClient(this, stream, config, connected.lane(), head);
        stream.setProperty(key, client);
        requests++;
        if (v == null) {
            client.begin(end);
        } else {
            client.refuse(v, end);
        }
        if (requests >= config.maxRequests() || !connected.lane().memory().keepAlive()) {
            goAway();
        }
    }

    private static @Nullable Violation read(RequestHead head, ByteBuf text) {
        int line = text.indexOf(text.readerIndex(), text.writerIndex(), (byte) '\n');
        if (line > MAX_LINE) {
            return new Violation(414, "request line longer than 8 KiB");
        }
        int size = text.readableBytes();
        return size > Fields.MAX_BYTES
                ? new Violation(431, "request head longer than 32 KiB")
                : head.read(text, size);
    }

    private static Http2Exception malformed(int id, String why) {
        return Http2Exception.streamError(id, Http2Error.PROTOCOL_ERROR, "malformed: %s", why);
    }

    @Override
    public int onDataRead(
            ChannelHandlerContext ctx, int id, ByteBuf part, int padding, boolean end) {
        Http2Stream stream = connection.stream(id);
        StreamClient client = stream == null ? null : client(stream);
        return client == null ? part.readableBytes() + padding : client.body(part, padding, end);
    }

    @Override
    public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings)
            throws Http2Exception {
        greeted = true;
        spend(Patience.SETTINGS);
    }

    @Override
    public void onPingRead(ChannelHandlerContext ctx, long payload) throws Http2Exception {
        spend(Patience.CONTROL);
    }

    @Override
    public void onPriorityRead(
            ChannelHandlerContext ctx, int id, int dependency, short weight, boolean exclusive)
            throws Http2Exception {
        spend(Patience.CONTROL);
    }

    @Override
    public void onUnknownFrame(
            ChannelHandlerContext ctx, byte type, int id, Http2Flags flags, ByteBuf payload) {
        // This method may not throw: the next frame that costs does.
        patience.spend(Patience.CONTROL, now());
    }

    @Override
    public void onWindowUpdateRead(ChannelHandlerContext ctx, int id, int increment)
            throws Http2Exception {
        spend(Patience.CONTROL);
    }

    @Override
    public void onRstStreamRead(ChannelHandlerContext ctx, int id, long error)
            throws Http2Exception {
        Http2Stream stream = connection.stream(id);
        StreamClient client = stream == null ? null : client(stream);
        if (client != null && !client.served()) {
            spend(
                    client.younger(Patience.PREMATURE_NANOS)
                            ? Patience.PREMATURE_RESET
                            : Patience.RESET);
        }
    }

    private void spend(int points) throws Http2Exception {
        if (!patience.spend(points, now())) {
            throw new Http2Exception(
                    Http2Error.ENHANCE_YOUR_CALM,
                    "more resets, faults and control frames than answers make up for");
        }
    }

    /// Whether a frame came for a stream that the client itself had ended, or never began. For one
    /// that was reset here, frames may still be on their way.
    private boolean misused(Http2Exception.StreamException error) {
        return error.error() == Http2Error.STREAM_CLOSED && !cutShort.contains(error.streamId());
    }

    private int cost(Http2Exception.StreamException error) {
        if (cutShort.contains(error.streamId())) {
            return Patience.CONTROL;
        }
        return error.error() == Http2Error.REFUSED_STREAM ? Patience.REFUSED : Patience.BROKEN;
    }

    private @Nullable StreamClient client(Http2Stream stream) {
        return stream.getProperty(key);
    }

    private void writabilityChanged(Http2Stream stream) {
        StreamClient client = client(stream);
        if (client != null) {
            client.writabilityChanged();
        }
    }

    // ---- what streams ask for

    void sendContinue(int id) {
        write(id, new DefaultHttp2Headers(false, 1).status("100"), false);
        flushSoon();
    }

    /// What an answer was worth.
    void earn(int points) {
        patience.earn(points);
    }

    void write(int id, Http2Headers headers, boolean end) {
        handler.encoder().writeHeaders(handler.ctx(), id, headers, 0, end, promise());
    }

    void write(int id, ByteBuf content, boolean end) {
        handler.encoder().writeData(handler.ctx(), id, content, 0, end, promise());
    }

    boolean writable(Http2Stream stream) {
        return handler.encoder().flowController().isWritable(stream);
    }

    /// Whether something written still waits for the client's window.
    boolean pending(Http2Stream stream) {
        return handler.encoder().flowController().hasFlowControlled(stream);
    }

    void consumed(Http2Stream stream, int bytes) {
        try {
            if (connection.local().flowController().consumeBytes(stream, bytes)) {
                flushSoon();
            }
        } catch (Http2Exception e) {
            handler.onError(handler.ctx(), true, e);
        }
    }

    void reset(Http2Stream stream, Http2Error error) {
        handler.resetStream(handler.ctx(), stream.id(), error.code(), promise());
        flushSoon();
    }

    void breakOff(Http2Stream stream) {
        flushNow();
        if (!pending(stream)) {
            reset(stream, Http2Error.INTERNAL_ERROR);
            return;
        }
        handler.encoder()
                .writeData(
                        handler.ctx(),
                        stream.id(),
                        Unpooled.EMPTY_BUFFER,
                        0,
                        false,
                        promise().addListener(f -> reset(stream, Http2Error.INTERNAL_ERROR)));
    }

    /// Streams that have something to send in one round of the loop share one write.
    void flushSoon() {
        if (!flushing) {
            flushing = true;
            channel.eventLoop().execute(this::flushNow);
        }
    }

    private void flushNow() {
        flushing = false;
        handler.flush(handler.ctx());
    }

    private ChannelPromise promise() {
        return handler.ctx().newPromise();
    }

    void callEnded(RequestHead head) {
        if (spare.size() < MAX_SPARE) {
            spare.push(head);
        }
    }

    // ---- time and the end

    @Override
    public void tick(long now) {
        if (connection.numActiveStreams() > 0) {
            idleSince = now;
            each(client -> client.tick(now));
        }
        boolean idle = connection.numActiveStreams() == 0;
        if (going == Going.SOON
                && (connected.leaving() || now - goingSince > GOAWAY_STEP_NANOS)
                && now - goingSince > LEAVE_NANOS) {
            going = Going.LAST_KNOWN;
            sendGoAway(connection.remote().lastStreamCreated());
        }
        if (going == Going.LAST_KNOWN && idle && now - idleSince > LEAVE_NANOS) {
            close();
        } else if (!greeted && now - idleSince > config.head().toNanos()) {
            close();
        } else if (idle && now - idleSince > config.keepAlive().toNanos()) {
            goAway();
        }
    }

    private void each(Consumer<StreamClient> what) {
        try {
            connection.forEachActiveStream(
                    stream -> {
                        StreamClient client = client(stream);
                        if (client != null) {
                            what.accept(client);
                        }
                        return true;
                    });
        } catch (Http2Exception e) {
            handler.onError(handler.ctx(), true, e);
        }
    }

    @Override
    public void drain() {
        goAway();
    }

    private void goAway() {
        if (going == Going.NO) {
            going = Going.SOON;
            goingSince = now();
            sendGoAway(Integer.MAX_VALUE);
        }
    }

    private void sendGoAway(int last) {
        handler.goAway(
                handler.ctx(), last, Http2Error.NO_ERROR.code(), Unpooled.EMPTY_BUFFER, promise());
        flushSoon();
    }

    @Override
    public void abort() {
        each(StreamClient::abort);
        flushNow();
    }

    private void close() {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    private final class Closings extends Http2ConnectionAdapter {
        @Override
        public void onStreamClosed(Http2Stream stream) {
            idleSince = now();
            if (stream.isResetSent()) {
                if (cutShort.size() == MAX_STREAMS) {
                    cutShort.pop();
                }
                cutShort.add(stream.id());
            }
            StreamClient client = client(stream);
            if (client != null) {
                client.closed();
            }
        }
    }

    private static final class Handler extends Http2ConnectionHandler {
        private final Http2Session session;
        private @Nullable ChannelHandlerContext ctx;
        private boolean failed;

        Handler(
                Http2ConnectionDecoder decoder,
                Http2ConnectionEncoder encoder,
                Http2Settings settings,
                Http2Session session) {
            super(decoder, encoder, settings, true);
            this.session = session;
        }

        ChannelHandlerContext ctx() {
            if (ctx == null) {
                throw new IllegalStateException("not in a pipeline");
            }
            return ctx;
        }

        @Override
        public void handlerAdded(ChannelHandlerContext added) throws Exception {
            ctx = added;
            session.connected.add(session);
            super.handlerAdded(added);
            if (session.connected.draining()) {
                session.goAway();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext inactive) throws Exception {
            session.connected.remove(session);
            super.channelInactive(inactive);
        }

        /// What follows the fault that ends the connection is not worth decoding: a flood would
        /// still cost what it is to be kept from.
        @Override
        protected void decode(ChannelHandlerContext from, ByteBuf in, List<Object> out)
                throws Exception {
            if (failed) {
                in.skipBytes(in.readableBytes());
                return;
            }
            super.decode(from, in, out);
        }

        @Override
        protected void onConnectionError(
                ChannelHandlerContext on,
                boolean outbound,
                Throwable cause,
                @Nullable Http2Exception error) {
            if (!failed) {
                failed = true;
                super.onConnectionError(on, outbound, cause, error);
            }
        }

        @Override
        protected void onStreamError(
                ChannelHandlerContext on,
                boolean outbound,
                Throwable cause,
                Http2Exception.StreamException error) {
            boolean over = connection().stream(error.streamId()) == null;
            if (over && !outbound && session.misused(error)) {
                fail(on, Http2Exception.connectionError(error.error(), error.getMessage()));
                return;
            }
            try {
                if (!outbound) {
                    session.spend(session.cost(error));
                }
            } catch (Http2Exception enough) {
                fail(on, enough);
                return;
            }
            super.onStreamError(on, outbound, cause, afterItsEnd(error));
        }

        private void fail(ChannelHandlerContext on, Http2Exception wrong) {
            onConnectionError(on, false, wrong, wrong);
        }

        /// Netty tells of HEADERS after the end of the stream as of too many HEADERS; RFC 9113,
        /// section 5.1, has a code of its own for it.
        private static Http2Exception.StreamException afterItsEnd(
                Http2Exception.StreamException error) {
            String message = String.valueOf(error.getMessage());
            return message.contains("too many headers EOS: true state: HALF_CLOSED_REMOTE")
                            && Http2Exception.streamError(
                                            error.streamId(), Http2Error.STREAM_CLOSED, message)
                                    instanceof Http2Exception.StreamException closed
                    ? closed
                    : error;
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext on, Throwable cause) throws Exception {
            if (cause instanceof Http2Exception) {
                super.exceptionCaught(on, cause);
                return;
            }
            if (!(cause instanceof IOException || cause.getCause() instanceof SSLException)) {
                log.error("connection of {}", on.channel().remoteAddress(), cause);
            }
            on.close();
        }
    }

    private static final class Builder
            extends AbstractHttp2ConnectionHandlerBuilder<Handler, Builder> {
        private @Nullable Http2Session session;

        Handler make(Http2Session of) {
            session = of;
            frameListener(of);
            connection(of.connection);
            validateHeaders(true);
            validateRequiredPseudoHeaders(true);
            initialSettings(
                    new Http2Settings()
                            .maxConcurrentStreams(MAX_STREAMS)
                            .maxHeaderListSize(Fields.MAX_BYTES)
                            .initialWindowSize(STREAM_WINDOW));
            // Resets are counted by Patience, which knows the answers too.
            decoderEnforceMaxRstFramesPerWindow(0, 0);
            encoderEnforceMaxRstFramesPerWindow(0, 0);
            decoderEnforceMaxConsecutiveEmptyDataFrames(EMPTY_DATA);
            decoderEnforceMaxSmallContinuationFrames(SMALL_CONTINUATIONS);
            encoderEnforceMaxQueuedControlFrames(CONTROL_QUEUE);
            return build();
        }

        @Override
        protected Handler build(
                Http2ConnectionDecoder decoder,
                Http2ConnectionEncoder encoder,
                Http2Settings settings) {
            if (session == null) {
                throw new IllegalStateException("built without a session");
            }
            return new Handler(decoder, encoder, settings, session);
        }
    }
}
