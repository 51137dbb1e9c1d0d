package dev.sluice.proxy.listener;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;

/// Gives the listening socket of the data port to a successor, over a Unix socket that only this
/// user may open.
///
/// With the descriptor the successor has the very socket, with the connections that wait in it, so
/// that nothing is lost when this process closes its own copy. A second socket on the port
/// (SO_REUSEPORT alone) does lose: the kernel resets what waits in the socket that is closed; see
/// docs/decisions/0007-hitless-restart.md.
///
/// The successor says when it is ready; from then on it gives the socket to the next one. On a
/// virtual thread of its own, which looks 20 times a second: nothing here is urgent.
public final class Handover implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Handover.class);
    private static final long LOOK_MILLIS = 50;
    private static final long ANSWER_MILLIS = 2_000;

    private final Path path;
    private final Socket server;
    private final int listening;
    private final Thread thread;
    private volatile boolean succeeded;

    /// The process whose socket this one has.
    public static final class Predecessor implements AutoCloseable {
        private final Socket socket;
        private final int listening;

        private Predecessor(Socket socket, int listening) {
            this.socket = socket;
            this.listening = listening;
        }

        /// The descriptor of the listening socket, from now on of this process too.
        int listening() {
            return listening;
        }

        /// Says that this process can do without the other, and waits until the other knows.
        public void relieve() throws InterruptedException {
            try {
                ByteBuffer ready = ByteBuffer.allocateDirect(1);
                socket.write(ready, 0, 1);
                while (socket.read(ready, 0, 1) >= 0) {
                    Thread.sleep(LOOK_MILLIS);
                }
            } catch (IOException e) {
                log.debug("the predecessor has gone", e);
            } finally {
                close();
            }
        }

        @Override
        public void close() {
            quietly(socket);
        }
    }

    /// Asks whoever listens there for its socket; null when nobody does that could be asked.
    public static @Nullable Predecessor find(InetSocketAddress listen) throws InterruptedException {
        Path path = path(listen);
        // Asking also loads the native library, which Unix sockets need.
        if (!Epoll.isAvailable() || !Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return null;
        }
        Socket socket = Socket.newSocketDomain();
        try {
            if (!ours(path)) {
                throw new IOException(path + " belongs to somebody else");
            }
            socket.connect(new DomainSocketAddress(path.toFile()));
            for (long waited = 0; waited < ANSWER_MILLIS; waited += LOOK_MILLIS) {
                int descriptor = socket.recvFd();
                if (descriptor > 0) {
                    return new Predecessor(socket, descriptor);
                }
                if (descriptor < 0) {
                    break;
                }
                Thread.sleep(LOOK_MILLIS);
            }
            throw new IOException("it sent no socket");
        } catch (IOException e) {
            log.info("no predecessor behind {}: {}", path, e.getMessage());
            quietly(socket);
            return null;
        }
    }

    /// Offers a listening socket to whoever comes next.
    ///
    /// @param listening its descriptor, which stays this process's
    static Handover offer(InetSocketAddress listen, int listening) throws IOException {
        Path path = path(listen);
        Files.deleteIfExists(path);
        Socket server = Socket.newSocketDomain();
        server.bind(new DomainSocketAddress(path.toFile()));
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        server.listen(4);
        return new Handover(path, server, listening);
    }

    private Handover(Path path, Socket server, int listening) {
        this.path = path;
        this.server = server;
        this.listening = listening;
        this.thread = Thread.ofVirtual().name("handover").start(this::run);
    }

    /// Whether a successor has the socket and is ready.
    public boolean succeeded() {
        return succeeded;
    }

    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join(TimeUnit.SECONDS.toMillis(1));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        byte[] from = new byte[128];
        try {
            while (!succeeded) {
                int successor = server.accept(from);
                if (successor >= 0) {
                    serve(new Socket(successor));
                } else {
                    Thread.sleep(LOOK_MILLIS);
                }
            }
        } catch (IOException e) {
            log.warn("the data port can no longer be handed over", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            forget();
        }
    }

    private void serve(Socket successor) throws InterruptedException {
        try {
            successor.sendFd(listening);
            log.info("a successor has the data port's socket");
            ByteBuffer word = ByteBuffer.allocateDirect(1);
            for (int n = successor.read(word, 0, 1); n <= 0; n = successor.read(word, 0, 1)) {
                if (n < 0) {
                    log.warn("the successor left before it was ready");
                    return;
                }
                Thread.sleep(LOOK_MILLIS);
            }
            succeeded = true;
            forget();
            log.info("the successor is ready: this process can be stopped");
        } catch (IOException e) {
            log.warn("the successor left before it was ready: {}", e.getMessage());
        } finally {
            quietly(successor);
        }
    }

    /// The path is free for the successor before it is told so.
    private void forget() {
        if (!server.isOpen()) {
            return;
        }
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            log.debug("{} stays", path, e);
        }
        quietly(server);
    }

    private static Path path(InetSocketAddress listen) {
        String name =
                "sluice-"
                        + user()
                        + "-"
                        + listen.getHostString().replace(':', '_')
                        + "-"
                        + listen.getPort();
        return Path.of(System.getProperty("java.io.tmpdir"), name);
    }

    private static boolean ours(Path path) throws IOException {
        return Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS).equals(user());
    }

    private static Object user() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException e) {
            throw new IllegalStateException("a Linux without /proc", e);
        }
    }

    private static void quietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            log.debug("closing {}", socket, e);
        }
    }
}
