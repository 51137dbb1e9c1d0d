package dev.sluice.simulator.replay;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;

import org.jspecify.annotations.Nullable;

/// One kept-alive connection of the replay, carrying one call at a time.
final class ClientConnection extends SimpleChannelInboundHandler<HttpObject> {
    /// What the replay does about its connections.
    interface Owner {
        /// The connection can carry another call.
        void idle(ClientConnection connection);

        /// The connection is gone; `unanswered` is a call that may be made again on a fresh one,
        /// because this one had been idle and died without a byte.
        void gone(ClientConnection connection, @Nullable Call unanswered);
    }

    private final Owner owner;
    private final String path;
    private final HttpHeaders headers;
    private final String target;

    private @Nullable Channel channel;
    private @Nullable Call call;
    private boolean used;
    private boolean reused;
    private boolean answering;
    private boolean keepAlive;
    private long idleSinceNanos;

    /// @param headers sent with every call
    /// @param target what counts as the endpoint when the answer does not name one
    ClientConnection(Owner owner, String path, HttpHeaders headers, String target) {
        this.owner = owner;
        this.path = path;
        this.headers = headers;
        this.target = target;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        channel = context.channel();
    }

    void send(Call next) {
        Channel open = channel();
        call = next;
        reused = used;
        used = true;
        answering = false;
        var request =
                new DefaultFullHttpRequest(
                        HttpVersion.HTTP_1_1,
                        HttpMethod.POST,
                        path,
                        Unpooled.wrappedBuffer(next.body()));
        request.headers().set(headers);
        request.headers().set(HttpHeaderNames.CONTENT_LENGTH, next.body().length);
        next.sent(System.nanoTime());
        var _ = open.writeAndFlush(request, open.voidPromise());
    }

    /// Closes at once; the call has been ended by whoever asks.
    void drop() {
        call = null;
        var _ = channel().close();
    }

    /// The client goes away on purpose.
    void leave() {
        if (call != null) {
            call.left();
        }
        drop();
    }

    boolean carries(Call other) {
        return call == other;
    }

    long idleNanos() {
        return System.nanoTime() - idleSinceNanos;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
        Call current = call;
        if (current == null) {
            var _ = context.close();
            return;
        }
        if (message.decoderResult().isFailure()) {
            current.failed("bad_answer", String.valueOf(message.decoderResult().cause()));
            drop();
            return;
        }
        if (message instanceof HttpResponse response) {
            answering = true;
            keepAlive = HttpUtil.isKeepAlive(response);
            String endpoint = response.headers().get("x-sluice-endpoint");
            current.head(response.status().code(), endpoint == null ? target : endpoint);
        }
        if (message instanceof HttpContent content) {
            current.bytes(ByteBufUtil.getBytes(content.content()), System.nanoTime());
            if (current.leaves()) {
                current.left();
                drop();
            } else if (message instanceof LastHttpContent) {
                finish(current);
            }
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        Call cut = call;
        call = null;
        if (cut != null && !cut.ended() && reused && !answering) {
            owner.gone(this, cut);
            return;
        }
        if (cut != null) {
            cut.broken("the connection closed");
        }
        owner.gone(this, null);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (call != null && (answering || !reused)) {
            call.broken(String.valueOf(cause.getMessage()));
        }
        var _ = context.close();
    }

    private void finish(Call current) {
        call = null;
        current.complete(System.nanoTime());
        if (!keepAlive) {
            var _ = channel().close();
            return;
        }
        idleSinceNanos = System.nanoTime();
        owner.idle(this);
    }

    private Channel channel() {
        if (channel == null) {
            throw new IllegalStateException("not connected");
        }
        return channel;
    }
}
