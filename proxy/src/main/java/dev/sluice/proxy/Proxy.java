package dev.sluice.proxy;

import dev.sluice.proxy.accounting.CallObserver;
import dev.sluice.proxy.admission.Gate;
import dev.sluice.proxy.call.Lane;
import dev.sluice.proxy.listener.Listener;
import dev.sluice.proxy.pool.PoolControl;
import dev.sluice.proxy.routing.Dispatcher;
import dev.sluice.proxy.routing.Router;
import dev.sluice.proxy.upstream.Connections;

import io.netty.channel.EventLoop;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/// A running proxy: config -> build -> serve -> drain. Who reads this file knows what it is made
/// of.
public final class Proxy implements AutoCloseable {
    private final PoolControl control;
    private final Listener listener;

    /// Builds and starts everything; returns once the data port is bound.
    ///
    /// @throws IOException when an address cannot be bound; the message names it and the fix
    public static Proxy start(ProxyConfig config) throws IOException {
        LongSupplier clock = System::nanoTime;
        RandomGenerator random = new SharedRandom();
        var control = new PoolControl(config.pools(), clock, random);
        List<Dispatcher> dispatchers =
                control.pools().stream().map(pool -> new Dispatcher(pool, clock, random)).toList();
        var router = new Router(dispatchers, config.aliases());
        var gate = new Gate(config.keys(), clock.getAsLong());
        CallObserver observer = call -> {};
        Listener listener =
                Listener.bind(
                        config.listen(),
                        config.listener(),
                        loop -> lane(loop, config, gate, router, observer, clock));
        control.start();
        return new Proxy(control, listener);
    }

    private static Lane lane(
            EventLoop loop,
            ProxyConfig config,
            Gate gate,
            Router router,
            CallObserver observer,
            LongSupplier clock) {
        var connections =
                new Connections(
                        loop, config.listener().sockets().client(), config.upstream(), clock);
        return new Lane(
                loop,
                gate,
                router,
                connections,
                config.calls(),
                observer,
                clock,
                System::currentTimeMillis);
    }

    private Proxy(PoolControl control, Listener listener) {
        this.control = control;
        this.listener = listener;
    }

    /// The bound data port.
    public int port() {
        return listener.port();
    }

    /// Drains and stops.
    @Override
    public void close() {
        try {
            listener.stop();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        control.close();
    }

    /// Randomness for all threads without contention.
    private static final class SharedRandom implements RandomGenerator {
        @Override
        public long nextLong() {
            return ThreadLocalRandom.current().nextLong();
        }
    }
}
