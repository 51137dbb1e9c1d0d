package dev.sluice.proxy.pool;

import dev.sluice.proxy.pool.HealthState.Degraded;
import dev.sluice.proxy.pool.HealthState.Draining;
import dev.sluice.proxy.pool.HealthState.Healthy;
import dev.sluice.proxy.pool.HealthState.Starting;
import dev.sluice.proxy.pool.HealthState.Unhealthy;
import dev.sluice.proxy.pool.Member.Use;
import dev.sluice.proxy.pool.Offer.Source;
import dev.sluice.proxy.pool.PoolConfig.Cap;
import dev.sluice.proxy.pool.PoolConfig.Weights;
import dev.sluice.proxy.pool.Watch.Peers;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;

/// A pool's endpoints as the control thread holds them, and what it makes of them: judges each,
/// then lays all of them into one {@link Snapshot}. Control thread only.
final class Roster {
    private static final Logger LOG = LoggerFactory.getLogger(Roster.class);
    private static final double LEAST_LIVE = 0.1;
    private static final double MOST_LIVE = 10;

    final Pool pool;
    private final Map<Source, Map<String, Offer>> offers = new EnumMap<>(Source.class);
    private final Map<String, Watch> watches = new LinkedHashMap<>();
    private Peers peers = new Peers(null, null);

    /// With the endpoints of the pool's configuration.
    Roster(Pool pool, long now) {
        this.pool = pool;
        follow(pool.config(), now);
    }

    Collection<Watch> watches() {
        return watches.values();
    }

    @Nullable Watch find(String id) {
        return watches.get(id);
    }

    /// Names one more endpoint; false when the pool has it already.
    boolean add(Source source, EndpointConfig config, long now) {
        String id = config.url().id();
        Watch watch = watches.get(id);
        if (watch != null && !watch.leaving()) {
            return false;
        }
        offered(source).put(id, Offer.of(config));
        reconcile(now);
        return true;
    }

    /// Makes these all that the source names.
    void replace(Source source, List<Offer> all, long now) {
        Map<String, Offer> next = offered(source);
        next.clear();
        all.forEach(offer -> next.put(offer.endpoint().url().id(), offer));
        reconcile(now);
    }

    /// Whatever names it; false when nothing does.
    boolean remove(String id, long now) {
        boolean named = false;
        for (Map<String, Offer> of : offers.values()) {
            named |= of.remove(id) != null;
        }
        reconcile(now);
        return named;
    }

    private Map<String, Offer> offered(Source source) {
        return offers.computeIfAbsent(source, _ -> new LinkedHashMap<>());
    }

    private void reconcile(long now) {
        var wanted = new LinkedHashMap<String, Offer>();
        offers.values().forEach(of -> of.forEach(wanted::putIfAbsent));
        for (Watch watch : List.copyOf(watches.values())) {
            if (!wanted.containsKey(watch.endpoint.id()) && !watch.leaving()) {
                LOG.info("endpoint {} leaves pool {}", watch.endpoint.id(), pool.name());
                watch.leave();
                judge(watch, now);
            }
        }
        wanted.values().forEach(offer -> welcome(offer, now));
        forgetGone();
    }

    private void welcome(Offer offer, long now) {
        EndpointConfig config = offer.endpoint();
        Watch watch = watches.get(config.url().id());
        if (watch == null || !watch.endpoint.address().equals(config.url())) {
            var endpoint = new Endpoint(config);
            watch = new Watch(endpoint, pool.config().health(), now);
            watches.put(endpoint.id(), watch);
            LOG.info("endpoint {} joins pool {}", endpoint.url(), pool.name());
        }
        watch.endpoint.weigh(config.weight());
        watch.stay(offer.withheld());
        judge(watch, now);
    }

    /// What left is shown until its last exchange has ended.
    private void forgetGone() {
        watches.values().removeIf(w -> w.leaving() && w.endpoint.inFlight() == 0);
    }

    /// The pool was changed by a reload.
    void follow(PoolConfig config, long now) {
        pool.follow(config);
        watches.values().forEach(w -> w.follow(config.health()));
        replace(Source.CONFIGURED, config.endpoints().stream().map(Offer::of).toList(), now);
        publish(now);
    }

    void tick(long now) {
        forgetGone();
        watches.values().forEach(Watch::tick);
        peers = new Peers(median(Recent::ttftNanos), median(Recent::nanosPerToken));
        watches.values().forEach(w -> judge(w, now));
        publish(now);
    }

    void judge(Watch watch, long now) {
        HealthState before = watch.judge(peers, mayEject(), now);
        HealthState after = watch.state();
        if (!before.label().equals(after.label())) {
            LOG.info(
                    "endpoint {} of pool {}: {} -> {}: {}",
                    watch.endpoint.id(),
                    pool.name(),
                    before.label(),
                    after.label(),
                    after.reason());
        }
    }

    /// Whether one more may go without more than half being out.
    private boolean mayEject() {
        long out = watches.values().stream().filter(w -> w.bare() instanceof Unhealthy).count();
        return (out + 1) * 2 <= watches.size();
    }

    void publish(long now) {
        List<Watch> ready =
                watches.values().stream()
                        .filter(w -> w.ready() && w.resolved() && !(w.state() instanceof Draining))
                        .toList();
        // While most of the pool is new, nobody else could take the load that they are spared.
        boolean slowStart = ready.stream().filter(w -> w.isNew(now)).count() * 2 <= ready.size();
        Watch lastResort = ready.isEmpty() ? lastResort(now) : null;
        Double meanGoodput = meanGoodput(ready);
        var members = new ArrayList<Member>();
        for (Watch watch : watches.values()) {
            double weight =
                    base(watch, meanGoodput)
                            * (slowStart ? watch.slowStart(now) : 1)
                            * watch.healthWeight();
            Use use = watch == lastResort ? Use.TRIAL : use(watch, now);
            members.add(member(watch, use, weight, now));
        }
        pool.publish(snapshot(members));
    }

    private Member member(Watch watch, Use use, double weight, long now) {
        Engine engine = watch.engine();
        boolean learned = pool.config().models().isEmpty();
        return new Member(
                watch.endpoint,
                watch.state(),
                use,
                weight,
                cap(engine),
                watch.foreignNow(now),
                learned && engine != null ? engine.models() : null,
                watch.report(),
                watch.recent());
    }

    private Snapshot snapshot(List<Member> members) {
        var models = new LinkedHashSet<String>(pool.config().models());
        var sets = new HashSet<Set<String>>();
        for (Member member : members) {
            if (member.models() != null) {
                models.addAll(member.models());
                sets.add(member.models());
            }
        }
        return new Snapshot(
                pool.name(),
                List.copyOf(members),
                members.stream()
                        .filter(m -> m.use() == Use.FULL || m.use() == Use.DEGRADED)
                        .toList(),
                members.stream().filter(m -> m.use() == Use.TRIAL).toList(),
                models,
                sets.size() > 1);
    }

    private static Use use(Watch watch, long now) {
        if (!watch.resolved()) {
            return Use.NONE;
        }
        return switch (watch.state()) {
            case Healthy _ -> Use.FULL;
            case Degraded _ -> Use.DEGRADED;
            case Unhealthy _ -> watch.trialDue(now) ? Use.TRIAL : Use.NONE;
            case Starting _, Draining _ -> Use.NONE;
        };
    }

    private @Nullable Watch lastResort(long now) {
        return watches.values().stream().anyMatch(w -> w.trialDue(now))
                ? null
                : watches.values().stream()
                        .filter(Watch::lastResort)
                        .min(Comparator.comparingInt(Watch::badness))
                        .orElse(null);
    }

    private int cap(@Nullable Engine engine) {
        return switch (pool.config().cap()) {
            case Cap.None _ -> Integer.MAX_VALUE;
            case Cap.Fixed(int slots) -> slots;
            case Cap.Engine _ ->
                    engine == null || engine.slots() == null ? Integer.MAX_VALUE : engine.slots();
        };
    }

    /// The configured weight, or the goodput relative to the pool's mean.
    private double base(Watch watch, @Nullable Double meanGoodput) {
        Double goodput = watch.recent().goodput();
        if (meanGoodput == null || goodput == null) {
            return watch.endpoint.weight();
        }
        return Math.clamp(goodput / meanGoodput, LEAST_LIVE, MOST_LIVE);
    }

    /// Null with configured weights, and before every ready endpoint has been measured.
    private @Nullable Double meanGoodput(List<Watch> ready) {
        if (pool.config().weights() != Weights.LIVE) {
            return null;
        }
        List<Double> known =
                ready.stream().map(w -> w.recent().goodput()).filter(Objects::nonNull).toList();
        double mean = known.stream().mapToDouble(d -> d).average().orElse(0);
        return known.size() < ready.size() || mean == 0 ? null : mean;
    }

    /// The lower median: with two endpoints the slow one is compared with the fast one.
    private @Nullable Double median(Function<Recent, @Nullable Double> figure) {
        var values = new ArrayList<Double>();
        for (Watch watch : watches.values()) {
            Double value = figure.apply(watch.recent());
            if (value != null) {
                values.add(value);
            }
        }
        values.sort(null);
        return values.isEmpty() ? null : values.get((values.size() - 1) / 2);
    }
}
