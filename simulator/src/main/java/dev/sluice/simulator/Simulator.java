package dev.sluice.simulator;

import dev.sluice.simulator.server.Connection;
import dev.sluice.simulator.server.Engine;
import dev.sluice.simulator.server.Faults;
import dev.sluice.simulator.server.Flusher;
import dev.sluice.simulator.server.Ledger;
import dev.sluice.simulator.server.Mishaps;
import dev.sluice.simulator.server.Routes;
import dev.sluice.simulator.transport.Transport;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequestDecoder;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/// A running simulated replica with its own event loop.
///
/// `try (var simulator = Simulator.start(SimulatorConfig.defaults())) { … simulator.url() … }`
public final class Simulator implements AutoCloseable {
    /// How a simulator came to its end.
    public enum Ending {
        CLOSED,
        /// By the fault `crash-after`: every connection was reset. A process should exit with an
        /// error.
        CRASHED
    }

    private final SimulatorConfig config;
    private final MultiThreadIoEventLoopGroup group = Transport.oneLoop("replica");
    private final ChannelGroup connections = new DefaultChannelGroup(group.next());
    private final CompletableFuture<Ending> ended = new CompletableFuture<>();
    private final Mishaps mishaps;
    private final Channel listener;

    private Simulator(SimulatorConfig config) throws IOException {
        this.config = config;
        EventLoop loop = group.next();
        var random = new SplittableRandom(config.seed());
        var engine = new Engine(loop, System::nanoTime, config.model());
        var ledger = new Ledger(InstantSource.system(), random, config.servedModel());
        mishaps = new Mishaps(loop, engine, random, this::crash);
        long readyNanos = engine.now() + config.coldStart().toNanos();
        var routes = new Routes(config.model(), engine, ledger, random, mishaps, readyNanos);
        var flusher = new Flusher(loop);
        loop.execute(() -> mishaps.replace(config.faults()));
        listener = bind(routes, flusher);
    }

    /// Binds and serves; returns once the port is open.
    ///
    /// @throws IOException when the address cannot be bound, saying which
    public static Simulator start(SimulatorConfig config) throws IOException {
        return new Simulator(config);
    }

    /// The port that is bound, also when 0 was asked for.
    public int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    /// The base URL without a path: `http://127.0.0.1:40123`.
    public String url() {
        return "http://" + config.host() + ":" + port();
    }

    /// Replaces the faults in force.
    public void faults(Faults faults) {
        group.next().execute(() -> mishaps.replace(faults));
    }

    /// Completes when the simulator has ended.
    public CompletionStage<Ending> ended() {
        return ended.copy();
    }

    /// Ends at once: every connection is closed and the port is free when this returns. A second
    /// time does nothing.
    @Override
    public void close() {
        if (group.isShuttingDown()) {
            return;
        }
        listener.close().syncUninterruptibly();
        connections.close().awaitUninterruptibly();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
        ended.complete(Ending.CLOSED);
    }

    private void crash() {
        var _ = listener.close();
        for (Channel channel : connections) {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
            var _ = channel.close();
        }
        ended.complete(Ending.CRASHED);
    }

    private Channel bind(Routes routes, Flusher flusher) throws IOException {
        long keepAliveNanos = config.keepAlive().toNanos();
        var bootstrap =
                new ServerBootstrap()
                        .group(group)
                        .channel(Transport.serverChannel())
                        .option(ChannelOption.SO_BACKLOG, 2_048)
                        .option(ChannelOption.SO_REUSEADDR, true)
                        .childOption(ChannelOption.TCP_NODELAY, true)
                        .childHandler(
                                new ChannelInitializer<>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        connections.add(channel);
                                        var http =
                                                new HttpDecoderConfig()
                                                        .setMaxInitialLineLength(65_536)
                                                        .setMaxHeaderSize(65_536);
                                        channel.pipeline()
                                                .addLast(
                                                        new HttpRequestDecoder(http),
                                                        new Connection(
                                                                routes::answer,
                                                                flusher,
                                                                keepAliveNanos));
                                    }
                                });
        var bound = bootstrap.bind(config.host(), config.port()).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
            throw new IOException(
                    "cannot listen on "
                            + config.host()
                            + ":"
                            + config.port()
                            + ": "
                            + bound.cause().getMessage()
                            + "; stop what listens there or choose another --port",
                    bound.cause());
        }
        return bound.channel();
    }
}
