package dev.sluice.simulator.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// One client connection: gathers requests, hands them on one at a time, and writes what comes
/// back.
///
/// It goes on reading while an answer streams, because the end of the stream of bytes is how it
/// learns that the client left. Like uvicorn it closes a connection that stays idle. Answers are
/// written as ready bytes; there is no encoder.
public final class Connection extends SimpleChannelInboundHandler<HttpObject> {
    private static final int MAX_BODY = 64 << 20;
    private static final int MAX_PIPELINED = 64;
    private static final ByteBuf CONTINUE =
            Unpooled.unreleasableBuffer(
                    Unpooled.copiedBuffer(
                            "HTTP/1.1 100 Continue\r\n\r\n", StandardCharsets.US_ASCII));

    private final Consumer<Exchange> routes;
    private final Flusher flusher;
    private final long keepAliveNanos;
    private final ArrayDeque<Exchange> queued = new ArrayDeque<>();

    private @Nullable ChannelHandlerContext ctx;
    private @Nullable HttpRequest head;
    private @Nullable ByteBuf body;
    private @Nullable Exchange current;
    private @Nullable Future<?> idle;
    private boolean dirty;
    private boolean closing;

    public Connection(Consumer<Exchange> routes, Flusher flusher, long keepAliveNanos) {
        this.routes = routes;
        this.flusher = flusher;
        this.keepAliveNanos = keepAliveNanos;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        ctx = context;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        watchIdle();
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
        if (closing) {
            return;
        }
        if (message.decoderResult().isFailure()) {
            write(answer(400, "Invalid HTTP request received."));
            closeAfterFlush();
            return;
        }
        if (message instanceof HttpRequest request) {
            begin(context, request);
        }
        if (message instanceof HttpContent content && head != null && body != null) {
            if (body.readableBytes() + content.content().readableBytes() > MAX_BODY) {
                write(answer(413, "Request body too large."));
                closeAfterFlush();
                return;
            }
            body.writeBytes(content.content());
            if (message instanceof LastHttpContent) {
                complete(head, body);
            }
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        stopIdle();
        dropBody();
        queued.clear();
        if (current != null) {
            Exchange left = current;
            current = null;
            left.clientLeft();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        var _ = context.close();
    }

    ByteBuf buffer(int size) {
        return alloc().buffer(size);
    }

    ByteBufAllocator alloc() {
        return context().alloc();
    }

    void write(ByteBuf bytes) {
        var _ = context().write(bytes, context().voidPromise());
        if (!dirty) {
            dirty = true;
            flusher.add(this);
        }
    }

    void flush() {
        dirty = false;
        context().flush();
    }

    /// The answer to the current request is complete.
    void answered(boolean keepAlive) {
        current = null;
        if (!keepAlive) {
            closeAfterFlush();
            return;
        }
        next();
    }

    /// Closes in good order, after what was written.
    void closeAfterFlush() {
        closing = true;
        stopIdle();
        queued.clear();
        context().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    /// Closes with a reset, dropping what the kernel has not sent.
    void reset() {
        context().flush();
        context().channel().config().setOption(ChannelOption.SO_LINGER, 0);
        var _ = context().close();
    }

    private void begin(ChannelHandlerContext context, HttpRequest request) {
        stopIdle();
        dropBody();
        head = request;
        body = context.alloc().buffer();
        if (HttpUtil.is100ContinueExpected(request)) {
            write(CONTINUE.duplicate());
        }
    }

    private void complete(HttpRequest request, ByteBuf bytes) {
        byte[] content = ByteBufUtil.getBytes(bytes);
        dropBody();
        queued.add(new Exchange(this, request, content));
        if (queued.size() > MAX_PIPELINED) {
            closeAfterFlush();
            return;
        }
        next();
    }

    private void next() {
        if (current != null) {
            return;
        }
        Exchange exchange = queued.poll();
        if (exchange == null) {
            watchIdle();
            return;
        }
        current = exchange;
        routes.accept(exchange);
    }

    private void watchIdle() {
        stopIdle();
        idle =
                context()
                        .executor()
                        .schedule(this::closeAfterFlush, keepAliveNanos, TimeUnit.NANOSECONDS);
    }

    private void stopIdle() {
        if (idle != null) {
            idle.cancel(false);
            idle = null;
        }
    }

    private void dropBody() {
        head = null;
        if (body != null) {
            body.release();
            body = null;
        }
    }

    private ByteBuf answer(int status, String text) {
        return Exchange.whole(
                context().alloc(),
                status,
                "text/plain",
                text.getBytes(StandardCharsets.UTF_8),
                HttpHeaderNames.CONNECTION + ": close\r\n");
    }

    private ChannelHandlerContext context() {
        if (ctx == null) {
            throw new IllegalStateException("not in a pipeline yet");
        }
        return ctx;
    }
}
