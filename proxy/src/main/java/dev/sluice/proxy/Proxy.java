package dev.sluice.proxy;

import dev.sluice.proxy.accounting.Accounting;
import dev.sluice.proxy.accounting.CallObserver;
import dev.sluice.proxy.admin.Admin;
import dev.sluice.proxy.admission.Guards;
import dev.sluice.proxy.admission.MemoryUse;
import dev.sluice.proxy.call.Lane;
import dev.sluice.proxy.listener.Listener;
import dev.sluice.proxy.response.Tails;
import dev.sluice.proxy.upstream.Connections;
import dev.sluice.shared.Units;

import io.netty.channel.EventLoop;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.URI;
import java.security.Security;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/// A running proxy: config -> build -> serve -> drain. Who reads this file knows what it is made
/// of.
public final class Proxy implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Proxy.class);

    private final Serving serving;
    private final Listener listener;
    private final Reload reload;
    private final AdminPort admin;
    private final Accounting accounting;
    private final Guards guards;
    private final AtomicBoolean draining;
    private final Succession succession;
    private @Nullable FileWatch watch;

    /// Builds and starts everything; returns once both ports are bound.
    ///
    /// @throws IOException when the data port cannot be bound; the message names it and the fix
    /// @throws java.io.UncheckedIOException when the admin port cannot be; so does its message
    public static Proxy start(ProxyConfig config, CallObserver alsoTold) throws IOException {
        return start(config, null, alsoTold);
    }

    /// @param file where the configuration came from, and is read again when it changes; null: from
    ///   nowhere that could be read again
    /// @param alsoTold of each call at its end, on its event loop
    public static Proxy start(ProxyConfig config, @Nullable ConfigFile file, CallObserver alsoTold)
            throws IOException {
        // Names are asked for when they are due; the JVM's cache would answer from 30 s ago.
        Security.setProperty("networkaddress.cache.ttl", "0");
        Security.setProperty("networkaddress.cache.negative.ttl", "0");
        LongSupplier clock = System::nanoTime;
        var serving = new Serving(config, clock, new SharedRandom());
        Guards guards = Guards.of(config.memory(), MemoryUse.ofThisProcess());
        var accounting =
                new Accounting(
                        version(),
                        serving::dispatchers,
                        System.currentTimeMillis(),
                        config.telemetry(),
                        guards);
        CallObserver observer =
                call -> {
                    accounting.ended(call);
                    alsoTold.ended(call);
                };
        Succession succession = Succession.of(config);
        Listener listener =
                Listener.bind(
                        config.listen(),
                        config.listener(),
                        succession.predecessor(),
                        loop -> {
                            accounting.watch(loop);
                            return new Lane(
                                    loop,
                                    serving::terms,
                                    connections(loop, config, clock),
                                    new Tails(),
                                    accounting.estimates(),
                                    observer,
                                    accounting.tracing(),
                                    accounting.clients(),
                                    guards.memory(),
                                    guards.bodies().share(),
                                    clock,
                                    System::currentTimeMillis);
                        });
        accounting.watch(listener);
        accounting.watch(serving::searches);
        var reload =
                new Reload(
                        config,
                        file,
                        next -> {
                            serving.use(next);
                            listener.use(next.listener());
                            guards.use(next.memory());
                        },
                        accounting.reloads(),
                        System::currentTimeMillis);
        var draining = new AtomicBoolean();
        var shown =
                new Admin.Shown(
                        version(),
                        reload,
                        accounting,
                        new Admin.Routing(
                                serving.control(),
                                () -> serving.terms().router(),
                                serving::searches),
                        new Admin.Life(draining::get, succession::succeeded));
        AdminPort admin = admin(config, shown, listener);
        serving.start(config);
        guards.memory().start();
        if (config.listener().reusePort()) {
            succession.start(listener, serving::ready);
        }
        var proxy =
                new Proxy(
                        serving, listener, reload, admin, accounting, guards, draining, succession);
        if (file != null) {
            proxy.watch = new FileWatch(file, () -> proxy.reload("the file changed"));
        }
        return proxy;
    }

    private static Connections connections(EventLoop loop, ProxyConfig config, LongSupplier clock) {
        return new Connections(
                loop, config.listener().sockets().client(), config.upstream(), clock);
    }

    private static AdminPort admin(ProxyConfig config, Admin.Shown shown, Listener listener) {
        try {
            return AdminPort.open(config.admin(), shown, config.listener().reusePort());
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
            Serving serving,
            Listener listener,
            Reload reload,
            AdminPort admin,
            Accounting accounting,
            Guards guards,
            AtomicBoolean draining,
            Succession succession) {
        this.serving = serving;
        this.listener = listener;
        this.reload = reload;
        this.admin = admin;
        this.accounting = accounting;
        this.guards = guards;
        this.draining = draining;
        this.succession = succession;
    }

    /// Reads the configuration file again; how it went is in the log and at the admin port. Blocks.
    public void reload(String by) {
        reload.reload(by);
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

    /// Says that it is not ready, accepts for `stop_after` still, so that load balancers notice,
    /// finishes what runs, and stops. Blocks for as long as the configuration's `stop_after` and
    /// `drain_timeout` allow. Again, it does nothing.
    @Override
    public void close() {
        stop(true);
    }

    /// The same.
    ///
    /// @param announced whether somebody has to notice first; a person at a keyboard, who runs a
    ///   proxy for himself, has no load balancer before it
    public void stop(boolean announced) {
        if (draining.getAndSet(true)) {
            return;
        }
        if (watch != null) {
            watch.close();
        }
        boolean succeeded = succession.succeeded();
        succession.close();
        if (succeeded) {
            // The successor waits for the port.
            admin.close();
        }
        boolean atOnce = succeeded || !announced;
        Duration accepting = reload.effective().listener().stopAfter();
        if (!atOnce && accepting.isPositive()) {
            log.info(
                    "accepting for {} still, so that load balancers notice (server.stop_after)",
                    Units.show(accepting));
        }
        try {
            int cut = listener.stop(atOnce);
            if (cut > 0) {
                log.warn("stopped with {} calls cut at the end of drain_timeout", cut);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        admin.close();
        serving.close();
        guards.close();
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
