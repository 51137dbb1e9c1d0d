package dev.sluice.proxy;

import dev.sluice.proxy.accounting.Accounting;
import dev.sluice.proxy.accounting.CallObserver;
import dev.sluice.proxy.admin.Admin;
import dev.sluice.proxy.admission.Gate;
import dev.sluice.proxy.call.Lane;
import dev.sluice.proxy.listener.Listener;
import dev.sluice.proxy.pool.PoolControl;
import dev.sluice.proxy.routing.Dispatcher;
import dev.sluice.proxy.routing.Router;
import dev.sluice.proxy.upstream.Connections;

import io.netty.channel.EventLoop;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/// A running proxy: config -> build -> serve -> drain. Who reads this file knows what it is made
/// of.
public final class Proxy implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Proxy.class);

    private final PoolControl control;
    private final Listener listener;
    private final Admin admin;
    private final Accounting accounting;
    private final AtomicBoolean draining;

    /// Builds and starts everything; returns once both ports are bound.
    ///
    /// @throws IOException when the data port cannot be bound; the message names it and the fix
    /// @throws dev.sluice.shared.ConfigException when the admin port cannot be
    public static Proxy start(ProxyConfig config) throws IOException {
        return start(config, _ -> {});
    }

    /// @param alsoTold of each call at its end, on its event loop
    public static Proxy start(ProxyConfig config, CallObserver alsoTold) throws IOException {
        LongSupplier clock = System::nanoTime;
        RandomGenerator random = new SharedRandom();
        var control = new PoolControl(config.pools(), clock, random);
        List<Dispatcher> dispatchers =
                control.pools().stream().map(pool -> new Dispatcher(pool, clock, random)).toList();
        var router = new Router(dispatchers, config.aliases());
        var gate = new Gate(config.keys(), clock.getAsLong());
        var accounting = new Accounting(version(), dispatchers, System.currentTimeMillis());
        CallObserver observer =
                call -> {
                    accounting.ended(call);
                    alsoTold.ended(call);
                };
        Listener listener =
                Listener.bind(
                        config.listen(),
                        config.listener(),
                        loop ->
                                new Lane(
                                        loop,
                                        gate,
                                        router,
                                        connections(loop, config, clock),
                                        config.calls(),
                                        accounting.estimates(),
                                        observer,
                                        clock,
                                        System::currentTimeMillis));
        var draining = new AtomicBoolean();
        Admin admin = admin(config, accounting, control, draining, listener);
        control.start();
        return new Proxy(control, listener, admin, accounting, draining);
    }

    private static Connections connections(EventLoop loop, ProxyConfig config, LongSupplier clock) {
        return new Connections(
                loop, config.listener().sockets().client(), config.upstream(), clock);
    }

    private static Admin admin(
            ProxyConfig config,
            Accounting accounting,
            PoolControl control,
            AtomicBoolean draining,
            Listener listener) {
        try {
            return Admin.start(
                    config.admin(),
                    new Admin.Shown(version(), config, accounting, control, draining::get));
        } catch (RuntimeException e) {
            listener.abort();
            throw e;
        }
    }

    /// The build's version, or `dev` when it runs from classes.
    public static String version() {
        String version = Proxy.class.getPackage().getImplementationVersion();
        return version == null ? "dev" : version;
    }

    private Proxy(
            PoolControl control,
            Listener listener,
            Admin admin,
            Accounting accounting,
            AtomicBoolean draining) {
        this.control = control;
        this.listener = listener;
        this.admin = admin;
        this.accounting = accounting;
        this.draining = draining;
    }

    /// The bound data port.
    public int port() {
        return listener.port();
    }

    /// Where the admin page is.
    public URI adminUrl() {
        return admin.url();
    }

    /// How sockets are driven: `epoll` or `nio`.
    public String transport() {
        return listener.transportName();
    }

    /// Calls begun and not yet at their last byte.
    public int calls() {
        return listener.calls();
    }

    /// Says that it is not ready, finishes what runs, and stops. Blocks for as long as the
    /// configuration's `stop_after` and `drain_timeout` allow.
    @Override
    public void close() {
        draining.set(true);
        try {
            int cut = listener.stop();
            if (cut > 0) {
                log.warn("stopped with {} calls cut at the end of drain_timeout", cut);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        admin.close();
        control.close();
        accounting.close();
    }

    /// Randomness for all threads without contention.
    private static final class SharedRandom implements RandomGenerator {
        @Override
        public long nextLong() {
            return ThreadLocalRandom.current().nextLong();
        }
    }
}
