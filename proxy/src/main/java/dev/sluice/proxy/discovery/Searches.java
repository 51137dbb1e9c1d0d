package dev.sluice.proxy.discovery;

import dev.sluice.proxy.pool.Discovery;
import dev.sluice.proxy.pool.Offer;
import dev.sluice.proxy.pool.Offer.Source;
import dev.sluice.proxy.pool.PoolConfig;
import dev.sluice.proxy.pool.PoolControl;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/// The searches of all pools that have one. Any thread; blocks while pools take changes over.
public final class Searches implements AutoCloseable {
    private final PoolControl control;
    private final Lookup lookup;
    private final Map<String, Running> running = new LinkedHashMap<>();

    /// How the search of a pool stands, as the status shows it.
    public record View(String pool, String source, String state, int endpoints, String problem) {
        /// Whether the endpoints are those that the source names now.
        public boolean fresh() {
            return state.equals("fresh");
        }
    }

    private record Running(Discovery discovery, Feed feed, Search search) {
        void close() {
            feed.close();
            search.close();
        }
    }

    public Searches(PoolControl control, Lookup lookup) {
        this.control = control;
        this.lookup = lookup;
    }

    /// Begins, changes and ends searches as these pools say. What a changed search had found stays
    /// until the new one has its first answer.
    public synchronized void follow(List<PoolConfig> pools) {
        Set<String> searched = new HashSet<>();
        for (PoolConfig pool : pools) {
            Discovery wanted = pool.discovery();
            if (wanted != null) {
                searched.add(pool.name());
                search(pool.name(), wanted);
            }
        }
        for (String pool : List.copyOf(running.keySet())) {
            if (!searched.contains(pool)) {
                end(pool);
                control.offer(pool, Source.DISCOVERED, List.of());
            }
        }
    }

    public synchronized List<View> views() {
        var out = new ArrayList<View>();
        running.forEach(
                (pool, one) -> {
                    Search.Standing now = one.search().standing();
                    out.add(
                            new View(
                                    pool,
                                    one.discovery().toString(),
                                    now.state(),
                                    now.endpoints(),
                                    now.problem()));
                });
        return out;
    }

    @Override
    public synchronized void close() {
        running.values().forEach(Running::close);
        running.clear();
    }

    private void search(String pool, Discovery wanted) {
        Running now = running.get(pool);
        if (now != null && now.discovery().equals(wanted)) {
            return;
        }
        end(pool);
        var feed = new Feed(pool);
        Search search =
                switch (wanted) {
                    case Discovery.Dns dns -> new DnsSearch(dns, lookup, feed);
                    case Discovery.Kubernetes kubernetes -> new KubernetesSearch(kubernetes, feed);
                };
        running.put(pool, new Running(wanted, feed, search));
    }

    private void end(String pool) {
        Running over = running.remove(pool);
        if (over != null) {
            over.close();
        }
    }

    /// Carries offers to the pool, and none once its search is over.
    private final class Feed implements Consumer<List<Offer>> {
        private final String pool;
        private boolean closed;

        Feed(String pool) {
            this.pool = pool;
        }

        @Override
        public synchronized void accept(List<Offer> offers) {
            if (!closed) {
                control.offer(pool, Source.DISCOVERED, offers);
            }
        }

        synchronized void close() {
            closed = true;
        }
    }
}
