package dev.sluice.proxy.pool;

import dev.sluice.proxy.pool.Inspector.Finding;
import dev.sluice.proxy.pool.Offer.Source;
import dev.sluice.shared.EngineKind;
import dev.sluice.shared.EngineLoad;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

import javax.net.ssl.SSLContext;

/// Watches all endpoints of all pools and publishes what it sees. Membership changes at run time
/// come in here.
///
/// One thread owns every {@link Watch}: it folds events from its inbox (probe and scrape answers,
/// failures that event loops report, orders), beats every 100 ms (starts what is due on virtual
/// threads, has queues refuse what waited too long) and judges all endpoints once a second. So the
/// rules need no lock, and a snapshot is a consistent picture.
public final class PoolControl implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PoolControl.class);
    private static final long BEAT_NANOS = 100_000_000L;
    private static final int BEATS_PER_TICK = 10;

    private final LongSupplier nanoClock;
    private final RandomGenerator random;
    private volatile List<Roster> rosters = List.of();

    /// Of pools that the configuration no longer has, until they are idle. Control thread.
    private final List<Roster> retired = new ArrayList<>();

    private final Queue<Runnable> inbox = new ConcurrentLinkedQueue<>();
    private final EngineClient client;
    private final Inspector inspector;
    private final Thread thread =
            Thread.ofPlatform().name("pool-control").daemon().unstarted(this::run);
    private volatile boolean closed;
    private int beats;

    /// Over the JDK's own trust in https endpoints.
    public PoolControl(List<PoolConfig> configs, LongSupplier nanoClock, RandomGenerator random) {
        this(configs, null, nanoClock, random);
    }

    /// @param tls for probes of https endpoints; null: the JDK's own trust
    /// @param random for jitter; used on the control thread only
    public PoolControl(
            List<PoolConfig> configs,
            @Nullable SSLContext tls,
            LongSupplier nanoClock,
            RandomGenerator random) {
        this.client = new EngineClient(tls);
        this.inspector = new Inspector(client);
        this.nanoClock = nanoClock;
        this.random = random;
        this.rosters = configs.stream().map(this::created).toList();
    }

    private Roster created(PoolConfig config) {
        return new Roster(new Pool(config, nanoClock, new Inbox()), nanoClock.getAsLong());
    }

    public List<Pool> pools() {
        return rosters.stream().map(r -> r.pool).toList();
    }

    /// Begins to probe. Pools can be used before, and have no usable endpoint until the first
    /// answers.
    public void start() {
        thread.start();
    }

    /// Makes these the pools. A pool of a known name stays the same, with its queue and what is
    /// known of its endpoints; what differs in its configuration is taken over. A pool that is gone
    /// serves what it holds, is then closed, and comes back as it was if it is named again before.
    ///
    /// Blocks until it is done.
    ///
    /// @return the pools in the order of the configuration
    public List<Pool> follow(List<PoolConfig> configs) {
        return order(
                () -> {
                    long now = nanoClock.getAsLong();
                    var known = new LinkedHashMap<String, Roster>();
                    retired.forEach(r -> known.put(r.pool.name(), r));
                    rosters.forEach(r -> known.put(r.pool.name(), r));
                    var next = new ArrayList<Roster>();
                    for (PoolConfig config : configs) {
                        Roster roster = known.remove(config.name());
                        if (roster == null) {
                            LOG.info("pool {} begins", config.name());
                            roster = created(config);
                        } else if (!config.equals(roster.pool.config())
                                || retired.contains(roster)) {
                            roster.follow(config, now);
                        }
                        next.add(roster);
                    }
                    known.values().removeIf(retired::contains);
                    known.values().forEach(r -> LOG.info("pool {} ends", r.pool.name()));
                    retired.removeAll(next);
                    retired.addAll(known.values());
                    rosters = List.copyOf(next);
                    beat(now);
                    return pools();
                });
    }

    /// Makes these all that the source names in a pool: the missing join, those that nothing names
    /// leave when their last exchange has ended, the others stay as they are. Nothing happens when
    /// the pool is gone.
    public void offer(String pool, Source source, List<Offer> offers) {
        order(
                () -> {
                    for (Roster roster : rosters) {
                        if (roster.pool.name().equals(pool)) {
                            roster.replace(source, offers, nanoClock.getAsLong());
                            roster.publish(nanoClock.getAsLong());
                        }
                    }
                    beat(nanoClock.getAsLong());
                    return true;
                });
    }

    /// Adds an endpoint to a pool; false when the pool has it already. Blocks until it is done, as
    /// the orders below do: for admin threads, never event loops.
    ///
    /// @throws IllegalArgumentException for a pool that does not exist, naming those that do
    public boolean add(String pool, EndpointConfig endpoint) {
        Roster roster = roster(pool);
        return order(
                () -> {
                    boolean added = roster.add(Source.REGISTERED, endpoint, nanoClock.getAsLong());
                    roster.publish(nanoClock.getAsLong());
                    beat(nanoClock.getAsLong());
                    return added;
                });
    }

    /// Removes it from every pool; false when none has it. What runs there finishes.
    public boolean remove(String id) {
        return order(() -> everywhere(roster -> roster.remove(id, nanoClock.getAsLong())));
    }

    /// No new exchanges for it; false when no pool has it.
    public boolean drain(String id) {
        return order(() -> everywhere(roster -> drain(roster, id, true)));
    }

    public boolean undrain(String id) {
        return order(() -> everywhere(roster -> drain(roster, id, false)));
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        client.close();
    }

    private void run() {
        long nextBeat = nanoClock.getAsLong();
        while (!closed) {
            try {
                fold();
                long now = nanoClock.getAsLong();
                if (now - nextBeat >= 0) {
                    nextBeat = now + BEAT_NANOS;
                    beat(now);
                    tick(now);
                }
            } catch (RuntimeException e) {
                LOG.error("the control thread goes on after a bug", e);
            }
            if (inbox.isEmpty()) {
                LockSupport.parkNanos(Math.max(1, nextBeat - nanoClock.getAsLong()));
            }
        }
        fold();
    }

    /// Runs what came in.
    void fold() {
        for (Runnable event = inbox.poll(); event != null; event = inbox.poll()) {
            event.run();
        }
    }

    /// Starts what is due.
    void beat(long now) {
        rosters.forEach(roster -> beat(roster, now));
        retired.forEach(roster -> beat(roster, now));
    }

    private void beat(Roster roster, long now) {
        for (Watch watch : roster.watches()) {
            if (watch.resolveDue(now)) {
                watch.resolveBegins(now);
                Thread.startVirtualThread(() -> resolve(roster, watch));
            }
            if (watch.probeDue(now)) {
                boolean refresh = watch.probeBegins(now, jitter());
                Engine known = watch.engine();
                Thread.startVirtualThread(() -> probe(roster, watch, known, refresh));
            }
            Engine engine = watch.engine();
            if (engine != null && watch.scrapeDue(now)) {
                watch.scrapeBegins(now, jitter());
                Thread.startVirtualThread(() -> scrape(roster, watch, engine.kind()));
            }
        }
        roster.pool.demand().sweep();
    }

    private void tick(long now) {
        if (++beats % BEATS_PER_TICK == 0) {
            rosters.forEach(roster -> roster.tick(now));
            retired.forEach(roster -> roster.tick(now));
            retired.removeIf(PoolControl::closed);
        }
    }

    private static boolean closed(Roster roster) {
        if (roster.pool.busy()) {
            return false;
        }
        roster.pool.demand().close();
        return true;
    }

    private double jitter() {
        return 0.8 + 0.4 * random.nextDouble();
    }

    private void probe(Roster roster, Watch watch, @Nullable Engine known, boolean refresh) {
        Finding finding;
        try {
            finding =
                    inspector.probe(
                            watch.endpoint.address(),
                            roster.pool.config().health(),
                            known,
                            refresh);
        } catch (InterruptedException | RuntimeException e) {
            finding = new Finding.Failed("probe broke: " + e, true, false);
        }
        Finding found = finding;
        post(
                () -> {
                    watch.probed(found);
                    judge(roster, watch);
                    // The first answer of an engine opens the way to its metrics: read them now.
                    if (known == null) {
                        beat(nanoClock.getAsLong());
                    }
                });
    }

    private void scrape(Roster roster, Watch watch, EngineKind kind) {
        int before = watch.endpoint.inFlight();
        EngineLoad load = null;
        try {
            load = inspector.scrape(watch.endpoint.address(), roster.pool.config().health(), kind);
        } catch (InterruptedException | RuntimeException e) {
            LOG.debug("scrape of {} broke", watch.endpoint, e);
        }
        EngineLoad read = load;
        // The engine counted somewhere between: with the larger figure, own calls are not foreign.
        int own = Math.max(before, watch.endpoint.inFlight());
        post(
                () -> {
                    watch.scraped(read, own, nanoClock.getAsLong());
                    roster.publish(nanoClock.getAsLong());
                });
    }

    private void resolve(Roster roster, Watch watch) {
        EndpointUrl url = watch.endpoint.address();
        try {
            InetAddress found = InetAddress.getByName(url.host());
            if (found.isLinkLocalAddress()) {
                LOG.warn("endpoint {} resolves to the link-local {}: not used", url, found);
                return;
            }
            watch.endpoint.resolved(new InetSocketAddress(found, url.port()));
            post(() -> roster.publish(nanoClock.getAsLong()));
        } catch (UnknownHostException e) {
            LOG.debug("{} does not resolve", url.host());
        }
    }

    private void judge(Roster roster, Watch watch) {
        long now = nanoClock.getAsLong();
        roster.judge(watch, now);
        roster.publish(now);
    }

    private boolean drain(Roster roster, String id, boolean yes) {
        Watch watch = roster.find(id);
        if (watch == null) {
            return false;
        }
        watch.drain(yes);
        roster.judge(watch, nanoClock.getAsLong());
        return true;
    }

    private boolean everywhere(Predicate<Roster> change) {
        boolean any = false;
        for (Roster roster : rosters) {
            if (change.test(roster)) {
                any = true;
                roster.publish(nanoClock.getAsLong());
            }
        }
        return any;
    }

    private Roster roster(String pool) {
        return rosters.stream()
                .filter(r -> r.pool.name().equals(pool))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "no pool is named \""
                                                + pool
                                                + "\"; pools: "
                                                + String.join(
                                                        ", ",
                                                        pools().stream()
                                                                .map(Pool::name)
                                                                .toList())));
    }

    private void post(Runnable event) {
        inbox.add(event);
        LockSupport.unpark(thread);
    }

    private <T> T order(Callable<T> change) {
        var done = new CompletableFuture<T>();
        post(
                () -> {
                    try {
                        done.complete(change.call());
                    } catch (Exception e) {
                        done.completeExceptionally(e);
                    }
                });
        if (!thread.isAlive()) {
            fold();
        }
        return done.join();
    }

    /// What event loops report.
    private final class Inbox implements Pool.Reports {
        @Override
        public void troubled(Pool pool, Endpoint endpoint) {
            post(() -> look(pool, endpoint, null));
        }

        @Override
        public void trialEnded(Pool pool, Endpoint endpoint, AttemptResult result) {
            post(() -> look(pool, endpoint, result));
        }

        private @Nullable Roster of(Pool pool) {
            return Stream.concat(rosters.stream(), retired.stream())
                    .filter(roster -> roster.pool == pool)
                    .findFirst()
                    .orElse(null);
        }

        private void look(Pool pool, Endpoint endpoint, @Nullable AttemptResult trial) {
            endpoint.lookedAt();
            Roster roster = of(pool);
            Watch watch = roster == null ? null : roster.find(endpoint.id());
            if (roster == null || watch == null || watch.endpoint != endpoint) {
                return;
            }
            if (trial != null) {
                watch.trialEnded(trial);
            }
            judge(roster, watch);
            if (trial != null) {
                endpoint.rearm();
                pool.demand().capacityFreed();
            }
        }
    }
}
