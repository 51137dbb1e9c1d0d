package dev.sluice.proxy;

import dev.sluice.proxy.admission.Gate;
import dev.sluice.proxy.call.Terms;
import dev.sluice.proxy.discovery.Lookup;
import dev.sluice.proxy.discovery.Searches;
import dev.sluice.proxy.pool.Pool;
import dev.sluice.proxy.pool.PoolControl;
import dev.sluice.proxy.routing.Dispatcher;
import dev.sluice.proxy.routing.Router;
import dev.sluice.proxy.upstream.UpstreamTls;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

import javax.net.ssl.SSLContext;

/// The parts of a proxy that a reload replaces: pools with their queues, keys, routes and limits of
/// calls. Event loops read them through one volatile field, once for each call.
final class Serving implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Serving.class);

    private final PoolControl control;
    private final Searches searches;
    private final LongSupplier nanoClock;
    private final RandomGenerator random;

    /// Also of pools that are gone and not closed yet. Guarded by this.
    private final IdentityHashMap<Pool, Dispatcher> dispatchers = new IdentityHashMap<>();

    private volatile List<Dispatcher> current;
    private volatile Terms terms;

    Serving(ProxyConfig config, LongSupplier nanoClock, RandomGenerator random) {
        this.nanoClock = nanoClock;
        this.random = random;
        this.control = new PoolControl(config.pools(), trust(config), nanoClock, random);
        this.searches = new Searches(control, Lookup.system());
        this.current = dispatchers(control.pools());
        this.terms =
                new Terms(
                        new Gate(config.keys(), nanoClock.getAsLong()),
                        new Router(current, config.aliases()),
                        config.calls());
    }

    private static @Nullable SSLContext trust(ProxyConfig config) {
        UpstreamTls tls = config.upstream().tls();
        if (tls == null) {
            return null;
        }
        if (!tls.verify()) {
            log.warn(
                    "upstream.tls.verify is false: whoever answers at an endpoint's address gets"
                            + " its calls; give upstream.tls.ca instead");
        }
        return tls.context().context();
    }

    /// Begins to probe endpoints and to look for them.
    void start(ProxyConfig config) {
        control.start();
        searches.follow(config.pools());
    }

    /// Whether every pool has an endpoint that takes calls.
    boolean ready() {
        return current.stream().noneMatch(d -> d.pool().snapshot().usable().isEmpty());
    }

    List<Searches.View> searches() {
        return searches.views();
    }

    PoolControl control() {
        return control;
    }

    /// Those of now; any thread.
    Terms terms() {
        return terms;
    }

    /// One for each pool of now, in the order of the configuration; any thread.
    List<Dispatcher> dispatchers() {
        return current;
    }

    /// Takes a configuration over. New pools exist before calls are sent to them, and those that
    /// are gone take no calls before they end. Blocks.
    synchronized void use(ProxyConfig config) {
        current = dispatchers(control.follow(config.pools()));
        terms =
                new Terms(
                        terms.gate().renewed(config.keys(), nanoClock.getAsLong()),
                        new Router(current, config.aliases()),
                        config.calls());
        searches.follow(config.pools());
    }

    @Override
    public void close() {
        searches.close();
        control.close();
    }

    private List<Dispatcher> dispatchers(List<Pool> pools) {
        dispatchers.values().removeIf(Dispatcher::closed);
        var out = new ArrayList<Dispatcher>();
        for (Pool pool : pools) {
            out.add(dispatchers.computeIfAbsent(pool, p -> new Dispatcher(p, nanoClock, random)));
        }
        return List.copyOf(out);
    }
}
