package dev.sluice.proxy.upstream;

import dev.sluice.proxy.http.RequestHead;
import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.request.RequestBody;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;

import org.jspecify.annotations.Nullable;

import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import javax.net.ssl.SSLException;

/// The upstream connections of one event loop: idle ones by endpoint, the newest used first, so
/// that the others grow old and are closed before the engine closes them. Used on that loop only.
///
/// Some engines announce keep-alive and close after each streamed answer (llama.cpp does). The end
/// of the connection then races with its next use; the call is repeated on a fresh connection, and
/// once this was seen, connections of that endpoint are not kept after a stream.
public final class Connections {
    private static final long SWEEP_SECONDS = 1;

    private final EventLoop loop;
    private final Class<? extends Channel> channelType;
    private final UpstreamConfig config;
    private final RequestWriter writer;
    private final LongSupplier nanoClock;
    private final IdentityHashMap<Endpoint, Idle> idle = new IdentityHashMap<>();
    private @Nullable SslContext tls;

    private static final class Idle {
        final ArrayDeque<Connection> connections = new ArrayDeque<>();
        boolean closesAfterStream;
    }

    public Connections(
            EventLoop loop,
            Class<? extends Channel> channelType,
            UpstreamConfig config,
            LongSupplier nanoClock) {
        this.loop = loop;
        this.channelType = channelType;
        this.config = config;
        this.writer = new RequestWriter(config.forwardCredentials());
        this.nanoClock = nanoClock;
        UpstreamTls given = config.tls();
        this.tls = given == null ? null : given.context();
        var _ =
                loop.scheduleWithFixedDelay(
                        this::sweep, SWEEP_SECONDS, SWEEP_SECONDS, TimeUnit.SECONDS);
    }

    /// Begins an exchange; how it goes is told to the listener, possibly before this returns.
    ///
    /// @param fresh whether an idle connection must not be used
    /// @param head kept by the caller until the exchange ends
    public Exchange begin(
            Endpoint endpoint,
            RequestHead head,
            String requestId,
            RequestBody body,
            boolean fresh,
            ExchangeListener listener) {
        var exchange = new Exchange(endpoint, head, requestId, body, listener);
        Connection kept = fresh ? null : take(endpoint);
        if (kept != null) {
            kept.begin(exchange, true);
        } else {
            connect(exchange);
        }
        return exchange;
    }

    private @Nullable Connection take(Endpoint endpoint) {
        Idle of = idle.get(endpoint);
        if (of == null) {
            return null;
        }
        Connection newest = of.connections.pollLast();
        while (newest != null) {
            if (newest.usable() && now() - newest.idleSince() < config.idle().toNanos()) {
                return newest;
            }
            newest.close();
            newest = of.connections.pollLast();
        }
        return null;
    }

    private void connect(Exchange exchange) {
        Endpoint endpoint = exchange.endpoint();
        InetSocketAddress address = endpoint.socketAddress();
        if (address.isUnresolved()) {
            loop.execute(
                    () ->
                            exchange.fail(
                                    AttemptResult.CONNECT_FAILED,
                                    false,
                                    address.getHostString() + " is not resolved"));
            return;
        }
        var bootstrap =
                new Bootstrap()
                        .group(loop)
                        .channel(channelType)
                        .option(ChannelOption.TCP_NODELAY, true)
                        .option(
                                ChannelOption.CONNECT_TIMEOUT_MILLIS,
                                (int) config.connectTimeout().toMillis())
                        .handler(new Pipeline(endpoint));
        ChannelFuture connecting = bootstrap.connect(address);
        exchange.connecting(connecting.channel());
        connecting.addListener(f -> connected(exchange, connecting));
    }

    private void connected(Exchange exchange, ChannelFuture connecting) {
        Channel channel = connecting.channel();
        if (exchange.isOver()) {
            channel.close();
            return;
        }
        if (!connecting.isSuccess()) {
            fail(exchange, connecting.cause());
            return;
        }
        SslHandler handshake = channel.pipeline().get(SslHandler.class);
        if (handshake == null) {
            begin(exchange, channel);
            return;
        }
        handshake
                .handshakeFuture()
                .addListener(
                        f -> {
                            if (exchange.isOver()) {
                                channel.close();
                            } else if (f.isSuccess()) {
                                begin(exchange, channel);
                            } else {
                                channel.close();
                                fail(exchange, f.cause());
                            }
                        });
    }

    private static void begin(Exchange exchange, Channel channel) {
        channel.pipeline().get(Connection.class).begin(exchange, false);
    }

    private static void fail(Exchange exchange, Throwable cause) {
        if (cause instanceof SSLException) {
            exchange.fail(
                    AttemptResult.CONNECT_FAILED, false, "TLS handshake: " + cause.getMessage());
            return;
        }
        boolean refused =
                cause instanceof ConnectException
                        && String.valueOf(cause.getMessage()).contains("refused");
        exchange.fail(
                refused ? AttemptResult.REFUSED : AttemptResult.CONNECT_FAILED,
                false,
                refused ? "connection refused" : String.valueOf(cause.getMessage()));
    }

    void keep(Connection connection) {
        Idle of = idle.computeIfAbsent(connection.endpoint(), e -> new Idle());
        if ((connection.streamed() && of.closesAfterStream) || config.maxIdle() == 0) {
            connection.close();
            return;
        }
        if (of.connections.size() >= config.maxIdle()) {
            of.connections.removeFirst().close();
        }
        of.connections.addLast(connection);
    }

    void forget(Connection connection) {
        Idle of = idle.get(connection.endpoint());
        if (of != null
                && of.connections.remove(connection)
                && now() - connection.idleSince() < TimeUnit.SECONDS.toNanos(1)) {
            learn(of, connection);
        }
    }

    /// The endpoint closed the connection while a request was already on its way.
    void learnEarlyClose(Connection connection) {
        Idle of = idle.get(connection.endpoint());
        if (of != null) {
            learn(of, connection);
        }
    }

    private static void learn(Idle of, Connection connection) {
        of.closesAfterStream |= connection.streamed();
    }

    private void sweep() {
        long oldest = now() - config.idle().toNanos();
        for (Iterator<Idle> each = idle.values().iterator(); each.hasNext(); ) {
            Idle of = each.next();
            Connection first = of.connections.peekFirst();
            while (first != null && (first.idleSince() - oldest < 0 || !first.usable())) {
                of.connections.removeFirst().close();
                first = of.connections.peekFirst();
            }
            if (of.connections.isEmpty() && !of.closesAfterStream) {
                each.remove();
            }
        }
    }

    /// Closes the idle connections; those in use end with their exchange.
    public void close() {
        idle.values().forEach(of -> of.connections.forEach(Connection::close));
        idle.clear();
    }

    RequestWriter writer() {
        return writer;
    }

    long now() {
        return nanoClock.getAsLong();
    }

    private SslContext tls() throws SSLException {
        SslContext context = tls;
        if (context == null) {
            context =
                    SslContextBuilder.forClient().endpointIdentificationAlgorithm("HTTPS").build();
            tls = context;
        }
        return context;
    }

    private final class Pipeline extends ChannelInitializer<Channel> {
        private final Endpoint endpoint;

        Pipeline(Endpoint endpoint) {
            this.endpoint = endpoint;
        }

        @Override
        protected void initChannel(Channel channel) throws SSLException {
            var address = endpoint.address();
            if (address.tls()) {
                SslHandler handler =
                        tls().newHandler(channel.alloc(), address.host(), address.port());
                handler.setHandshakeTimeoutMillis(config.connectTimeout().toMillis());
                channel.pipeline().addLast(handler);
            }
            channel.pipeline().addLast(new Connection(Connections.this, endpoint, channel));
        }
    }
}
