package dev.sluice.autoscaler;

import dev.sluice.autoscaler.decision.Memory;
import dev.sluice.autoscaler.decision.Recommendation;
import dev.sluice.autoscaler.decision.Spec;
import dev.sluice.autoscaler.signal.Condition;
import dev.sluice.autoscaler.signal.Observer;
import dev.sluice.autoscaler.signal.Proxies;
import dev.sluice.autoscaler.signal.ProxyReport;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.autoscaler.signal.Replicas.State;
import dev.sluice.autoscaler.target.Target;
import dev.sluice.shared.LoadReport.PoolLoad;
import dev.sluice.shared.ScalingStatus;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/// The loop of one pool: observe, decide, act, say why. One thread; {@link #status} from any.
final class Scaler {
    private static final Logger log = LoggerFactory.getLogger(Scaler.class);
    private static final int TIMELINE = 50;

    /// Blocked for longer than this is a gap in what is known of the need.
    private static final long BLIND_MS = 10_000;

    /// While replicas start or drain, or something was asked for that is not there yet.
    private static final Duration QUICK = Duration.ofMillis(500);

    private final String pool;
    private final Spec spec;
    private final Proxies proxies;
    private final Target target;
    private final Duration interval;
    private final Meters meters;
    private final Observer observer;
    private final Memory memory;
    private final Map<String, Long> conditionSince = new HashMap<>();
    private final ArrayDeque<ScalingStatus.Decision> timeline = new ArrayDeque<>();
    private @Nullable Recommendation last;
    private List<URI> sleepers = List.of();
    private long nextMs;
    private long blockedSinceMs;
    private volatile @Nullable Condition obstacle;
    private volatile @Nullable ScalingStatus status;

    Scaler(
            String pool,
            Spec spec,
            Proxies proxies,
            Target target,
            Duration interval,
            Meters meters) {
        this.pool = pool;
        this.spec = spec;
        this.proxies = proxies;
        this.target = target;
        this.interval = interval;
        this.meters = meters;
        this.observer = new Observer(pool);
        this.memory = new Memory(spec);
    }

    /// One look; a decision where one is due. How long to wait until the next look.
    Duration step(LongSupplier clock, boolean dryRun) throws InterruptedException {
        sleepers = List.of();
        Condition inTheWay = target.obstacle(clock.getAsLong());
        if (inTheWay != null) {
            blocked(inTheWay, clock.getAsLong());
            return interval;
        }
        List<ProxyReport> reports = proxies.poll();
        long nowMs = clock.getAsLong();
        Replicas replicas = target.look(reports, nowMs);
        unblocked(replicas, nowMs);
        target.carryOn(reports, nowMs);
        if (nowMs >= nextMs) {
            decide(reports, replicas, nowMs, dryRun);
            nextMs = replicas.asked() == 0 ? 0 : nowMs + interval.toMillis() - 50;
        }
        sleepers = replicas.asked() == 0 ? sleepers(reports) : List.of();
        boolean moving = replicas.all().size() != replicas.count(State.READY);
        boolean quick = moving || replicas.asked() != desired(replicas);
        return quick && QUICK.compareTo(interval) < 0 ? QUICK : interval;
    }

    /// Waits for the next look. While there is no replica the proxies wake it with the first call
    /// that they hold.
    void pause(Duration wait) throws InterruptedException {
        if (sleepers.isEmpty()) {
            Thread.sleep(wait);
        } else {
            proxies.awaitQueued(pool, sleepers, wait);
        }
    }

    /// Those whose queue is empty: what one that is not could tell is known already.
    private List<URI> sleepers(List<ProxyReport> reports) {
        return reports.stream()
                .filter(r -> emptyQueue(r.pool(pool)))
                .map(ProxyReport::proxy)
                .toList();
    }

    private static boolean emptyQueue(@Nullable PoolLoad load) {
        return load != null && load.queued() == 0;
    }

    /// What was said last; null before the first decision.
    @Nullable ScalingStatus status() {
        return status;
    }

    /// What keeps it from looking and acting now; null when nothing does.
    @Nullable Condition obstacle() {
        return obstacle;
    }

    String pool() {
        return pool;
    }

    void close() throws InterruptedException {
        target.close();
        proxies.close();
    }

    /// The same on a thread that was interrupted in order to end.
    void closeQuietly() {
        boolean interrupted = Thread.interrupted();
        try {
            close();
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void blocked(Condition why, long nowMs) {
        if (obstacle == null) {
            blockedSinceMs = nowMs;
        }
        if (obstacle == null || !obstacle.type().equals(why.type())) {
            log.warn("{}: {}: {}", pool, why.type(), why.message());
        }
        obstacle = why;
        meters.conditions(pool, Set.of(why.type()));
    }

    private void unblocked(Replicas replicas, long nowMs) {
        if (obstacle == null) {
            return;
        }
        log.info("{}: looks and acts again", pool);
        obstacle = null;
        if (nowMs - blockedSinceMs > BLIND_MS) {
            memory.gap(replicas, nowMs);
        }
    }

    private void decide(List<ProxyReport> reports, Replicas replicas, long nowMs, boolean dryRun)
            throws InterruptedException {
        var seen = observer.observe(reports, replicas.cpu(), nowMs);
        Recommendation now = memory.decide(seen, replicas, nowMs);
        if (now.changes()) {
            target.scaleTo(now.replicas(), nowMs);
        }
        say(now, dryRun);
        meters.record(pool, spec, now, replicas, memory.reversals(nowMs));
        meters.conditions(
                pool, now.conditions().stream().map(Condition::type).collect(Collectors.toSet()));
        last = now;
        tell(reports, now, replicas, dryRun);
    }

    /// A line for each change, and when the reason for holding is another one.
    private void say(Recommendation now, boolean dryRun) {
        boolean news =
                last == null
                        || last.replicas() != now.replicas()
                        || last.binding() != now.binding();
        if (!news) {
            return;
        }
        log.info(
                "{}{}: {} [{}]",
                pool,
                dryRun ? " (dry run)" : "",
                now.message(),
                now.binding().word());
        if (now.changes()) {
            if (timeline.size() == TIMELINE) {
                timeline.removeLast();
            }
            timeline.addFirst(
                    new ScalingStatus.Decision(
                            now.timeMs(),
                            now.from(),
                            now.replicas(),
                            now.binding().word(),
                            now.message(),
                            now.terms()));
        }
    }

    private void tell(
            List<ProxyReport> reports, Recommendation now, Replicas replicas, boolean dryRun)
            throws InterruptedException {
        var current =
                new ScalingStatus(
                        target.name(),
                        pool,
                        now.timeMs(),
                        dryRun,
                        spec.min(),
                        spec.max(),
                        now.replicas(),
                        replicas.all().size(),
                        replicas.count(State.READY),
                        replicas.count(State.STARTING)
                                + replicas.count(State.CRASHED)
                                + replicas.count(State.BLOCKED),
                        replicas.count(State.DRAINING),
                        now.binding().word(),
                        now.message(),
                        now.terms(),
                        conditions(now),
                        List.copyOf(timeline));
        status = current;
        for (ProxyReport r : reports) {
            if (r.report() != null && !proxies.push(r.proxy(), current)) {
                log.debug("{} did not take the status of {}", r.proxy(), pool);
            }
        }
    }

    private List<ScalingStatus.Condition> conditions(Recommendation now) {
        var out = new ArrayList<ScalingStatus.Condition>();
        for (Condition c : now.conditions()) {
            if (conditionSince.putIfAbsent(c.type(), now.timeMs()) == null) {
                log.warn("{}: {}: {}", pool, c.type(), c.message());
            }
            long since = conditionSince.getOrDefault(c.type(), now.timeMs());
            out.add(new ScalingStatus.Condition(c.type(), c.message(), since));
        }
        conditionSince.keySet().retainAll(now.conditions().stream().map(Condition::type).toList());
        return List.copyOf(out);
    }

    private int desired(Replicas replicas) {
        return last == null ? replicas.asked() : last.replicas();
    }
}
