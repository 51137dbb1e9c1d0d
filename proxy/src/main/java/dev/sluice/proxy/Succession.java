package dev.sluice.proxy;

import dev.sluice.proxy.listener.Handover;
import dev.sluice.proxy.listener.Listener;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.function.BooleanSupplier;

/// How the data port passes from process to process: taken from a predecessor, offered to a
/// successor once this process is ready and the predecessor knows.
final class Succession implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Succession.class);
    private static final long LOOK_MILLIS = 50;

    private final InetSocketAddress listen;
    private final Handover.@Nullable Predecessor predecessor;
    private volatile @Nullable Handover handover;
    private volatile boolean closed;
    private @Nullable Thread thread;

    /// Looks for a predecessor where the configuration allows one. Blocks.
    static Succession of(ProxyConfig config) throws IOException {
        InetSocketAddress listen = config.listen();
        if (!config.listener().reusePort() || listen.getPort() == 0) {
            return new Succession(listen, null);
        }
        try {
            return new Succession(listen, Handover.find(listen));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while looking for a predecessor", e);
        }
    }

    private Succession(InetSocketAddress listen, Handover.@Nullable Predecessor predecessor) {
        this.listen = listen;
        this.predecessor = predecessor;
    }

    Handover.@Nullable Predecessor predecessor() {
        return predecessor;
    }

    /// Whether a successor is ready at the same socket.
    boolean succeeded() {
        Handover offered = handover;
        return offered != null && offered.succeeded();
    }

    /// @param ready whether this process can serve
    void start(Listener listener, BooleanSupplier ready) {
        thread =
                Thread.ofVirtual()
                        .name("succession")
                        .start(
                                () -> {
                                    try {
                                        succeed(listener, ready);
                                    } catch (InterruptedException e) {
                                        Thread.currentThread().interrupt();
                                    } catch (IOException e) {
                                        log.warn("the data port cannot be handed over", e);
                                    }
                                });
    }

    private void succeed(Listener listener, BooleanSupplier ready)
            throws InterruptedException, IOException {
        if (predecessor != null) {
            while (!ready.getAsBoolean()) {
                Thread.sleep(LOOK_MILLIS);
            }
            predecessor.relieve();
            log.info("the predecessor knows that this process is ready");
        }
        Handover offered = listener.offer(listen);
        handover = offered;
        if (closed && offered != null) {
            offered.close();
        }
    }

    @Override
    public void close() {
        closed = true;
        if (thread != null) {
            thread.interrupt();
        }
        if (predecessor != null) {
            predecessor.close();
        }
        Handover offered = handover;
        if (offered != null) {
            offered.close();
        }
    }
}
