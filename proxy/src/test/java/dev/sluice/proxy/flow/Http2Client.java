package dev.sluice.proxy.flow;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2PingFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.DefaultHttp2WindowUpdateFrame;
import io.netty.handler.codec.http2.Http2ChannelDuplexHandler;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2FrameStream;
import io.netty.handler.codec.http2.Http2GoAwayFrame;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.ssl.SslContext;
import io.netty.util.ReferenceCountUtil;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// An HTTP/2 client that says frames and hears frames. Windows are given back for what comes, or
/// not at all.
final class Http2Client implements AutoCloseable {
    private static final int SECONDS = 10;

    private final MultiThreadIoEventLoopGroup group =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final BlockingQueue<Heard> heard = new LinkedBlockingQueue<>();
    private final Http2FrameCodec codec =
            Http2FrameCodecBuilder.forClient().encoderEnforceMaxConcurrentStreams(false).build();
    private final Ear ear = new Ear();
    private final Channel channel;
    private final boolean greedy;

    /// @param kind `HEADERS`, `DATA`, `RST`, `GOAWAY` or `CLOSED`
    /// @param text status, content or error code
    record Heard(String kind, int stream, String text, boolean end) {}

    /// @param greedy whether it takes all that comes
    Http2Client(int port, boolean greedy, SslContext tls) throws InterruptedException {
        this.greedy = greedy;
        channel =
                new Bootstrap()
                        .group(group)
                        .channel(NioSocketChannel.class)
                        .handler(
                                new ChannelInitializer<>() {
                                    @Override
                                    protected void initChannel(Channel made) {
                                        if (tls != null) {
                                            made.pipeline()
                                                    .addLast(
                                                            tls.newHandler(
                                                                    made.alloc(),
                                                                    "localhost",
                                                                    port));
                                        }
                                        made.pipeline().addLast(codec, ear);
                                    }
                                })
                        .connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port))
                        .sync()
                        .channel();
    }

    Http2FrameStream post(String json) throws InterruptedException {
        Http2Headers head = head("POST", "/v1/chat/completions");
        head.add("content-type", "application/json");
        Http2FrameStream stream = send(head, false);
        data(stream, json, true);
        return stream;
    }

    static Http2Headers head(String method, String path) {
        return new DefaultHttp2Headers().method(method).path(path).scheme("http").authority("a");
    }

    Http2FrameStream send(Http2Headers head, boolean end) throws InterruptedException {
        Http2FrameStream stream = ear.newStream();
        channel.writeAndFlush(new DefaultHttp2HeadersFrame(head, end).stream(stream)).sync();
        return stream;
    }

    void data(Http2FrameStream stream, String text, boolean end) {
        var content = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
        channel.writeAndFlush(new DefaultHttp2DataFrame(content, end).stream(stream));
    }

    void reset(Http2FrameStream stream) {
        channel.writeAndFlush(new DefaultHttp2ResetFrame(Http2Error.CANCEL).stream(stream));
    }

    void ping() {
        channel.writeAndFlush(new DefaultHttp2PingFrame(1));
    }

    Heard hear() throws InterruptedException {
        Heard next = heard.poll(SECONDS, TimeUnit.SECONDS);
        return next == null ? new Heard("NOTHING", 0, "", false) : next;
    }

    /// Hears on until a frame of this kind comes.
    Heard hear(String kind) throws InterruptedException {
        Heard next = hear();
        while (!next.kind.equals(kind) && !next.kind.equals("NOTHING")) {
            next = hear();
        }
        return next;
    }

    /// All content until the stream's end or its reset; then a space and the code.
    String body() throws InterruptedException {
        var out = new StringBuilder();
        while (true) {
            Heard next = hear();
            switch (next.kind) {
                case "DATA" -> out.append(next.text);
                case "RST", "CLOSED", "NOTHING" -> {
                    return out + " " + next.kind + next.text;
                }
                default -> {}
            }
            if (next.end) {
                return out.toString();
            }
        }
    }

    @Override
    public void close() throws InterruptedException {
        if (group.isShuttingDown()) {
            return;
        }
        channel.close().sync();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
    }

    private final class Ear extends Http2ChannelDuplexHandler {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object frame) {
            try {
                heard(ctx, frame);
            } finally {
                ReferenceCountUtil.release(frame);
            }
        }

        private void heard(ChannelHandlerContext ctx, Object frame) {
            switch (frame) {
                case Http2HeadersFrame f ->
                        heard.add(
                                new Heard(
                                        "HEADERS",
                                        f.stream().id(),
                                        String.valueOf(f.headers().status()),
                                        f.isEndStream()));
                case Http2DataFrame f -> {
                    String text = f.content().toString(StandardCharsets.UTF_8);
                    heard.add(new Heard("DATA", f.stream().id(), text, f.isEndStream()));
                    if (greedy && f.initialFlowControlledBytes() > 0) {
                        ctx.writeAndFlush(
                                new DefaultHttp2WindowUpdateFrame(f.initialFlowControlledBytes())
                                        .stream(f.stream()));
                    }
                }
                case Http2ResetFrame f ->
                        heard.add(new Heard("RST", f.stream().id(), "" + f.errorCode(), true));
                case Http2GoAwayFrame f ->
                        heard.add(
                                new Heard(
                                        "GOAWAY",
                                        f.lastStreamId(),
                                        f.errorCode() + ByteBufUtil.hexDump(f.content()),
                                        false));
                default -> {}
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            heard.add(new Heard("CLOSED", 0, "", true));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }
}
