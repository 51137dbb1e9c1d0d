package dev.sluice.proxy.listener;

import dev.sluice.proxy.accounting.ClientMeters.Closed;
import dev.sluice.proxy.accounting.DataPortView;
import dev.sluice.proxy.call.Lane;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.EventExecutor;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/// The data port: binds, accepts, and stops without cutting a call.
public final class Listener implements DataPortView {
    private static final int BACKLOG = 4096;
    private static final int HANDSHAKE_SECONDS = 10;

    private volatile ListenerConfig config;
    private final Transport transport;
    private final @Nullable Certificates certificates;
    private final EventLoopGroup group;
    private final IdentityHashMap<EventExecutor, Connected> loops = new IdentityHashMap<>();
    private final AtomicInteger connections = new AtomicInteger();
    private final Map<InetAddress, Integer> perAddress = new ConcurrentHashMap<>();
    private @Nullable Channel server;
    private int port;

    /// Starts the event loops and binds.
    ///
    /// @param predecessor whose listening socket is taken instead; null: none
    /// @param lanes makes what the calls of one loop share
    /// @throws IOException with a message that names the address and the fix
    public static Listener bind(
            InetSocketAddress address,
            ListenerConfig config,
            Handover.@Nullable Predecessor predecessor,
            Function<EventLoop, Lane> lanes)
            throws IOException {
        Transport transport = config.sockets();
        if (config.reusePort() && !transport.name().equals("epoll")) {
            throw new IOException(
                    "server.reuse_port needs epoll, and the transport here is "
                            + transport.name()
                            + " (leave it out, or run on Linux)");
        }
        TlsConfig tls = config.tls();
        Certificates certificates = tls == null ? null : new Certificates(tls);
        EventLoopGroup group = transport.group(config.loops());
        var loops = new IdentityHashMap<EventExecutor, Connected>();
        group.forEach(loop -> loops.put(loop, new Connected(lanes.apply((EventLoop) loop))));
        var listener = new Listener(config, transport, certificates, group, loops);
        try {
            listener.bind(address, predecessor);
            return listener;
        } catch (IOException e) {
            listener.closeCertificates();
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
            throw e;
        }
    }

    private Listener(
            ListenerConfig config,
            Transport transport,
            @Nullable Certificates certificates,
            EventLoopGroup group,
            IdentityHashMap<EventExecutor, Connected> loops) {
        this.config = config;
        this.transport = transport;
        this.certificates = certificates;
        this.group = group;
        this.loops.putAll(loops);
    }

    private void bind(InetSocketAddress address, Handover.@Nullable Predecessor predecessor)
            throws IOException {
        ServerBootstrap bootstrap =
                new ServerBootstrap()
                        .group(group)
                        .option(ChannelOption.SO_BACKLOG, BACKLOG)
                        .option(ChannelOption.SO_REUSEADDR, true)
                        .childOption(ChannelOption.TCP_NODELAY, true)
                        .childOption(ChannelOption.SO_KEEPALIVE, true)
                        .childHandler(
                                new ChannelInitializer<>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        accept(channel);
                                    }
                                });
        if (config.reusePort()) {
            bootstrap.option(UnixChannelOption.SO_REUSEPORT, true);
        }
        var binding =
                (predecessor == null
                                ? bootstrap.channel(transport.server()).bind(address)
                                : inherit(bootstrap, predecessor))
                        .awaitUninterruptibly();
        if (!binding.isSuccess()) {
            throw new IOException(
                    "cannot listen on "
                            + address.getHostString()
                            + ":"
                            + address.getPort()
                            + ": "
                            + binding.cause().getMessage()
                            + " (is another program using the port? choose another with listen: or"
                            + " --listen)",
                    binding.cause());
        }
        server = binding.channel();
        port = ((InetSocketAddress) binding.channel().localAddress()).getPort();
    }

    /// Reads only once the handler that takes connections over is in place: the socket may have
    /// some waiting.
    private static ChannelFuture inherit(
            ServerBootstrap bootstrap, Handover.Predecessor predecessor) {
        int descriptor = predecessor.listening();
        return bootstrap
                .channelFactory(() -> new EpollServerSocketChannel(descriptor))
                .option(ChannelOption.AUTO_READ, false)
                .register()
                .addListener(
                        (ChannelFuture f) ->
                                f.channel()
                                        .eventLoop()
                                        .execute(() -> f.channel().config().setAutoRead(true)));
    }

    /// Offers the data port to a successor; null when it cannot be.
    public @Nullable Handover offer(InetSocketAddress address) throws IOException {
        return server instanceof EpollServerSocketChannel epoll
                ? Handover.offer(address, epoll.fd().intValue())
                : null;
    }

    private void accept(Channel channel) {
        InetAddress from = ((InetSocketAddress) channel.remoteAddress()).getAddress();
        int all = connections.incrementAndGet();
        int ofAddress = perAddress.merge(from, 1, Integer::sum);
        channel.closeFuture()
                .addListener(
                        f -> {
                            connections.decrementAndGet();
                            perAddress.computeIfPresent(from, (a, n) -> n == 1 ? null : n - 1);
                        });
        Connected connected = loops.get(channel.eventLoop());
        ListenerConfig limits = config;
        Closed over =
                all > limits.maxConnections()
                        ? Closed.MAX_CONNECTIONS
                        : ofAddress > limits.maxPerAddress() ? Closed.MAX_PER_ADDRESS : null;
        if (over != null || connected == null) {
            if (over != null && connected != null) {
                connected.lane().clients().closed(over);
            }
            channel.close();
            return;
        }
        if (certificates == null) {
            channel.pipeline().addLast(new ClientConnection(connected, limits, channel));
            return;
        }
        SslHandler tls = certificates.context().newHandler(channel.alloc());
        tls.setHandshakeTimeout(HANDSHAKE_SECONDS, TimeUnit.SECONDS);
        channel.pipeline().addLast(tls, new Negotiated(connected, limits));
    }

    private void closeCertificates() {
        if (certificates != null) {
            certificates.close();
        }
    }

    public int port() {
        return port;
    }

    /// Limits for the connections to come; loops and transport stay.
    public void use(ListenerConfig next) {
        config = next;
    }

    public String transportName() {
        return transport.name();
    }

    @Override
    public int connections() {
        return connections.get();
    }

    @Override
    public int maxConnections() {
        return config.maxConnections();
    }

    @Override
    public @Nullable Instant certificateEnds() {
        return certificates == null ? null : certificates.ends();
    }

    /// Calls begun and not yet at their last byte.
    public int calls() {
        return loops.values().stream().mapToInt(Connected::calls).sum();
    }

    /// Stops: accepts for a while still, ends each connection after its response, waits until the
    /// last bytes of running calls have gone out, and cuts what is left with an error. Blocks; not
    /// on an event loop.
    ///
    /// @param atOnce whether nobody has to notice first, as when a successor accepts from the same
    ///   socket already
    /// @return how many calls had to be cut
    public int stop(boolean atOnce) throws InterruptedException {
        each(Connected::drain);
        if (!atOnce) {
            TimeUnit.NANOSECONDS.sleep(config.stopAfter().toNanos());
        }
        if (server != null) {
            server.close().awaitUninterruptibly();
        }
        each(Connected::leave);
        long deadline = System.nanoTime() + config.drain().toNanos();
        while (connections() > 0 && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        closeCertificates();
        int cut = calls();
        each(Connected::abort);
        group.shutdownGracefully(50, 2000, TimeUnit.MILLISECONDS).awaitUninterruptibly();
        return cut;
    }

    /// Stops at once, when the rest of the proxy cannot start.
    public void abort() {
        if (server != null) {
            server.close().awaitUninterruptibly();
        }
        closeCertificates();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private void each(java.util.function.Consumer<Connected> what) {
        loops.forEach(
                (loop, connected) ->
                        loop.submit(() -> what.accept(connected)).awaitUninterruptibly());
    }
}
