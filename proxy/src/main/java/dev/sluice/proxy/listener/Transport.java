package dev.sluice.proxy.listener;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;

/// How sockets are driven.
public record Transport(
        String name,
        IoHandlerFactory handlers,
        Class<? extends ServerChannel> server,
        Class<? extends Channel> client) {

    /// What the configuration may ask for.
    public enum Choice {
        AUTO,
        EPOLL,
        NIO
    }

    /// @throws IllegalStateException when the chosen one is not available here
    public static Transport of(Choice choice) {
        return switch (choice) {
            case AUTO -> Epoll.isAvailable() ? epoll() : nio();
            case EPOLL -> {
                if (!Epoll.isAvailable()) {
                    throw new IllegalStateException(
                            "server.transport: epoll is not available here (write nio or auto)",
                            Epoll.unavailabilityCause());
                }
                yield epoll();
            }
            case NIO -> nio();
        };
    }

    private static Transport epoll() {
        return new Transport(
                "epoll",
                EpollIoHandler.newFactory(),
                EpollServerSocketChannel.class,
                EpollSocketChannel.class);
    }

    private static Transport nio() {
        return new Transport(
                "nio",
                NioIoHandler.newFactory(),
                NioServerSocketChannel.class,
                NioSocketChannel.class);
    }

    EventLoopGroup group(int loops) {
        int threads = loops > 0 ? loops : Runtime.getRuntime().availableProcessors();
        return new MultiThreadIoEventLoopGroup(
                threads, new DefaultThreadFactory("sluice-loop", false), handlers);
    }
}
