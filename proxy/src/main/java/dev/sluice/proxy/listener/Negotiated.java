package dev.sluice.proxy.listener;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ApplicationProtocolNegotiationHandler;

/// Waits for the TLS handshake, and lets the client's choice of version speak after it. What goes
/// wrong before is the client's business: the connection closes, and the log stays quiet.
final class Negotiated extends ApplicationProtocolNegotiationHandler {
    private final Connected connected;
    private final ListenerConfig config;

    Negotiated(Connected connected, ListenerConfig config) {
        super(ApplicationProtocolNames.HTTP_1_1);
        this.connected = connected;
        this.config = config;
    }

    @Override
    protected void configurePipeline(ChannelHandlerContext ctx, String protocol) {
        var channel = ctx.channel();
        channel.pipeline()
                .addLast(
                        protocol.equals(ApplicationProtocolNames.HTTP_2)
                                ? new Http2Session(connected, config, channel).handler()
                                : new ClientConnection(connected, config, channel));
    }

    @Override
    protected void handshakeFailure(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }
}
