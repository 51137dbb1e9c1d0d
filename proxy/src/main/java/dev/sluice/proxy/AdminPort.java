package dev.sluice.proxy;

import dev.sluice.proxy.admin.Admin;
import dev.sluice.shared.AdminConfig;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.UncheckedIOException;
import java.net.URI;

/// The admin port, open at once, or as soon as a predecessor has left it.
final class AdminPort implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(AdminPort.class);
    private static final long LOOK_MILLIS = 50;

    private final AdminConfig config;
    private @Nullable Admin admin;
    private boolean closed;

    /// @param patient whether another process may hold the port for now
    /// @throws dev.sluice.shared.ConfigException when the address cannot be used
    /// @throws UncheckedIOException when it is taken, and nobody is waited for
    static AdminPort open(AdminConfig config, Admin.Shown shown, boolean patient) {
        var port = new AdminPort(config);
        try {
            port.admin = Admin.start(config, shown);
        } catch (UncheckedIOException e) {
            if (!patient) {
                throw e;
            }
            log.info("the admin port is held by another process; it is opened when that leaves");
            Thread.ofVirtual().name("admin-port").start(() -> port.await(shown));
        }
        return port;
    }

    private AdminPort(AdminConfig config) {
        this.config = config;
    }

    /// As configured while it waits.
    synchronized URI url() {
        return admin == null
                ? URI.create("http://" + config.host() + ":" + config.port())
                : admin.url();
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (admin != null) {
            admin.close();
        }
    }

    private void await(Admin.Shown shown) {
        try {
            while (!opened(shown)) {
                Thread.sleep(LOOK_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized boolean opened(Admin.Shown shown) {
        if (closed) {
            return true;
        }
        try {
            admin = Admin.start(config, shown);
            log.info("the admin port is {}", admin.url());
            return true;
        } catch (UncheckedIOException e) {
            return false;
        }
    }
}
