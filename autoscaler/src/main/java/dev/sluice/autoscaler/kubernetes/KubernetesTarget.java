package dev.sluice.autoscaler.kubernetes;

import dev.sluice.autoscaler.kubernetes.Cluster.CpuUse;
import dev.sluice.autoscaler.kubernetes.Cluster.Scale;
import dev.sluice.autoscaler.kubernetes.Pods.Trouble;
import dev.sluice.autoscaler.kubernetes.Pods.View;
import dev.sluice.autoscaler.signal.Condition;
import dev.sluice.autoscaler.signal.Proxies;
import dev.sluice.autoscaler.signal.ProxyReport;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.autoscaler.signal.Replicas.Replica;
import dev.sluice.autoscaler.signal.Replicas.State;
import dev.sluice.autoscaler.target.ColdStarts;
import dev.sluice.autoscaler.target.ScaleTarget;
import dev.sluice.autoscaler.target.Target;
import dev.sluice.shared.LoadReport.EndpointLoad;
import dev.sluice.shared.LoadReport.PoolLoad;

import io.fabric8.kubernetes.client.KubernetesClientException;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Replicas that are the pods of something with a scale subresource.
///
/// A pod goes in this order, and none of its streams is cut: it is marked by an annotation, and its
/// deletion cost lowered; every proxy is told to drain it; all of them report it as draining with 0
/// in flight, or the drain limit is over; it is marked as drained, with the lowest cost of all; one
/// look later the scale is lowered, and Kubernetes deletes the pod with the lowest cost. All that
/// has to be remembered stands at the pods, so a successor goes on from any point. When more
/// replicas are needed meanwhile, marked pods are taken back first: they are warm.
///
/// Each look reads scale and pods from the API server, and a patch of the scale carries the
/// resource version that was looked at: where anybody else changed it, nothing happens and the next
/// look decides anew.
public final class KubernetesTarget implements Target {
    private static final Logger log = LoggerFactory.getLogger(KubernetesTarget.class);

    /// Metrics are made each 15 to 60 s.
    private static final long CPU_AGE_MS = 120_000;

    private static final long CPU_EVERY_MS = 10_000;
    private static final long RIVALS_EVERY_MS = 10_000;
    private static final long REFUSALS_EVERY_MS = 5_000;

    /// A pod that is not there so long after it was asked for, is refused.
    private static final long UNBORN_MS = 3_000;

    private static final String DRAINING_COST = "-1000";
    private static final String DRAINED_COST = "-2000";

    private final Cluster cluster;
    private final ScaleTarget target;
    private final String pool;
    private final Duration drain;
    private final Proxies proxies;
    private final ColdStarts coldStarts = new ColdStarts();

    private final Sightings sightings = new Sightings();
    private final Set<String> counted = new HashSet<>();
    private final Map<String, CpuSeen> cpu = new HashMap<>();
    private long cpuAtMs;
    private @Nullable String rival;
    private long rivalsAtMs;
    private @Nullable String refusal;
    private long refusalAtMs;
    private Scale scale = new Scale(0, "", "");
    private Fleet fleet = new Fleet(0, List.of(), false);
    private List<ProxyReport> reports = List.of();

    /// @param sinceMs when this figure was first seen, by our clock
    private record CpuSeen(CpuUse use, long sinceMs) {}

    /// @param drain the longest that a replica may take to finish its calls
    public KubernetesTarget(
            Cluster cluster, ScaleTarget target, String pool, Duration drain, Proxies proxies) {
        this.cluster = cluster;
        this.target = target;
        this.pool = pool;
        this.drain = drain;
        this.proxies = proxies;
    }

    @Override
    public String name() {
        return target.toString();
    }

    /// Reads scale and pods; what it finds is what {@link #look} shows.
    @Override
    public @Nullable Condition obstacle(long nowMs) {
        try {
            Scale found = cluster.scale(target);
            if (found == null) {
                return new Condition(
                        "TargetMissing",
                        target
                                + " ("
                                + target.apiVersion()
                                + ") does not exist, or cannot be scaled");
            }
            if (found.selector().isEmpty()) {
                return new Condition(
                        "TargetMissing",
                        "the scale of " + target + " names no selector of its pods");
            }
            if (nowMs - rivalsAtMs >= RIVALS_EVERY_MS) {
                rival = Rivals.of(target, cluster.podAutoscalers());
                rivalsAtMs = nowMs;
            }
            if (rival != null) {
                return new Condition(
                        "Conflict", rival + " scales " + target + " too: delete one of them");
            }
            scale = found;
            fleet =
                    new Fleet(
                            found.replicas(),
                            cluster.pods(found.selector()).stream()
                                    .filter(p -> !Pods.ended(p))
                                    .map(Pods::view)
                                    .toList(),
                            target.ordinal());
            readCpu(nowMs);
            return null;
        } catch (KubernetesClientException e) {
            return obstacle(e);
        }
    }

    @Override
    public Replicas look(List<ProxyReport> fresh, long nowMs) {
        reports = fresh;
        sightings.look(fleet.pods(), fleet.missing(), nowMs);
        learnColdStarts();
        readRefusal(nowMs);
        var all = new ArrayList<Replica>();
        List<View> counts = fleet.replicas();
        for (View p : fleet.pods()) {
            all.add(replica(p, counts.contains(p)));
        }
        for (int i = 0; i < fleet.missing(); i++) {
            State state = refusal == null ? State.STARTING : State.BLOCKED;
            long since = sightings.missingSinceMs().get(i);
            all.add(new Replica("missing-" + i, state, since, null));
        }
        return new Replicas(List.copyOf(all), coldStarts.quantiles(), conditions());
    }

    @Override
    public void carryOn(List<ProxyReport> fresh, long nowMs) throws InterruptedException {
        reports = fresh;
        int payable = fleet.payable();
        if (payable > 0) {
            int next = fleet.scale() - payable;
            if (cluster.patchScale(target, scale, next)) {
                log.info("{}: scale {} -> {}, drained", target, fleet.scale(), next);
            }
            return; // the next look sees what came of it
        }
        for (View p : fleet.marked()) {
            if (!p.drained()) {
                drain(p, nowMs);
            }
        }
    }

    @Override
    public void scaleTo(int replicas, long nowMs) throws InterruptedException {
        if (replicas > fleet.asked()) {
            up(replicas - fleet.asked());
        } else if (replicas < fleet.asked()) {
            down(fleet.asked() - replicas, nowMs);
        }
    }

    /// Leaves everything as it is: whoever holds the lease next goes on.
    @Override
    public void close() {
        // nothing is held
    }

    private void up(int count) throws InterruptedException {
        List<View> back = fleet.takenBack(count);
        for (View p : back) {
            takeBack(p);
        }
        int more = count - back.size();
        if (more > 0 && !cluster.patchScale(target, scale, fleet.scale() + more)) {
            log.info("{}: changed meanwhile, looking again", target);
        }
    }

    /// What has no pod yet goes at once; the others are marked, and drained by the next looks.
    private void down(int count, long nowMs) throws InterruptedException {
        int unborn = Math.min(count, fleet.missing());
        if (unborn > 0 && !cluster.patchScale(target, scale, fleet.scale() - unborn)) {
            return;
        }
        for (View p : fleet.victims(count - unborn, p -> inFlight(p))) {
            cluster.annotate(
                    p.name(),
                    Map.of(
                            Pods.DRAINING,
                            Instant.ofEpochMilli(nowMs).toString(),
                            Pods.COST,
                            DRAINING_COST));
            log.info("{}: {} draining", target, p.name());
        }
    }

    private int inFlight(View p) {
        int sum = 0;
        for (ProxyReport r : reports) {
            EndpointLoad e = endpoint(r, p);
            sum += e == null ? 0 : e.inFlight();
        }
        return sum;
    }

    private void drain(View p, long nowMs) throws InterruptedException {
        boolean done = !reports.isEmpty();
        for (ProxyReport r : reports) {
            EndpointLoad e = endpoint(r, p);
            boolean agreed = e != null && e.state().equals("draining");
            done &= r.report() != null && (e == null || (agreed && e.inFlight() == 0));
            if (e != null && !agreed) {
                proxies.drain(r.proxy(), e.id());
            }
        }
        Long since = sightings.of(p).markedMs();
        boolean late = since != null && nowMs - since > drain.toMillis();
        if (!done && !late) {
            return;
        }
        if (!done) {
            log.warn("{}: {} goes with calls in flight: the drain limit is over", target, p.name());
        }
        cluster.annotate(
                p.name(),
                Map.of(
                        Pods.DRAINED,
                        Instant.ofEpochMilli(nowMs).toString(),
                        Pods.COST,
                        DRAINED_COST));
    }

    /// The proxies first: a mark that stays is mended by a successor, a drain without one is not.
    private void takeBack(View p) throws InterruptedException {
        for (ProxyReport r : reports) {
            EndpointLoad e = endpoint(r, p);
            if (e != null) {
                proxies.undrain(r.proxy(), e.id());
            }
        }
        var none = new HashMap<String, @Nullable String>();
        none.put(Pods.DRAINING, null);
        none.put(Pods.DRAINED, null);
        none.put(Pods.COST, null);
        cluster.annotate(p.name(), none);
        log.info("{}: {} taken back", target, p.name());
    }

    /// What this proxy says of the pod: the endpoint at its address, whatever the port.
    private @Nullable EndpointLoad endpoint(ProxyReport report, View p) {
        PoolLoad of = report.pool(pool);
        if (of == null || p.ip() == null) {
            return null;
        }
        String host = (p.ip().contains(":") ? "[" + p.ip() + "]" : p.ip()) + ":";
        return of.endpoints().stream()
                .filter(e -> e.id().startsWith(host))
                .findFirst()
                .orElse(null);
    }

    private Replica replica(View p, boolean counts) {
        String id = p.name();
        for (ProxyReport r : reports) {
            EndpointLoad e = endpoint(r, p);
            id = e == null ? id : e.id();
        }
        Sightings.Seen seen = sightings.of(p);
        if (p.terminating() || p.marked() || !counts) {
            return new Replica(id, State.DRAINING, seen.existsMs(), null);
        }
        if (seen.readyMs() != null) {
            return new Replica(id, State.READY, seen.readyMs(), share(p));
        }
        State state =
                switch (p.trouble()) {
                    case Trouble.Crashing _ -> State.CRASHED;
                    case Trouble.Unschedulable _ -> State.BLOCKED;
                    case null -> State.STARTING;
                };
        return new Replica(id, state, seen.existsMs(), null);
    }

    private @Nullable Double share(View p) {
        CpuSeen seen = cpu.get(p.name());
        return seen == null || p.cores() == null
                ? null
                : Double.valueOf(seen.use.cores() / p.cores());
    }

    /// Both ends of it are told by the server, whatever its clock says.
    private void learnColdStarts() {
        for (View p : fleet.pods()) {
            if (p.readyMs() != null && p.restarts() == 0 && counted.add(p.uid())) {
                coldStarts.add(Math.max(0, p.readyMs() - p.createdMs()));
            }
        }
        counted.retainAll(fleet.pods().stream().map(View::uid).toList());
    }

    /// Why pods that are asked for do not come into being.
    private void readRefusal(long nowMs) {
        List<Long> missing = sightings.missingSinceMs();
        if (missing.isEmpty() || nowMs - missing.getFirst() < UNBORN_MS) {
            refusal = null;
            refusalAtMs = 0;
            return;
        }
        if (nowMs - refusalAtMs >= REFUSALS_EVERY_MS) {
            refusalAtMs = nowMs;
            try {
                refusal = cluster.failedCreate(target);
            } catch (KubernetesClientException e) {
                log.debug("{}: no Events: {}", target, e.getMessage());
            }
        }
    }

    private void readCpu(long nowMs) {
        if (nowMs - cpuAtMs < CPU_EVERY_MS) {
            return;
        }
        cpuAtMs = nowMs;
        try {
            Map<String, CpuUse> now = cluster.cpu(scale.selector());
            now.forEach(
                    (pod, use) ->
                            cpu.compute(
                                    pod,
                                    (_, old) ->
                                            old != null && old.use.timeMs() == use.timeMs()
                                                    ? old
                                                    : new CpuSeen(use, nowMs)));
            cpu.keySet().retainAll(now.keySet());
            cpu.values().removeIf(seen -> nowMs - seen.sinceMs > CPU_AGE_MS);
        } catch (KubernetesClientException e) {
            log.debug("{}: no CPU figures: {}", target, e.getMessage());
            cpu.clear();
        }
    }

    private List<Condition> conditions() {
        var out = new ArrayList<Condition>();
        if (refusal != null) {
            String count = fleet.missing() + " of " + fleet.asked() + " pods: ";
            out.add(new Condition("PodsRefused", count + refusal));
        }
        for (View p : fleet.alive()) {
            switch (p.trouble()) {
                case Trouble.Unschedulable(String why) ->
                        out.add(new Condition("Unschedulable", p.name() + ": " + why));
                case Trouble.Crashing(String why) ->
                        out.add(new Condition("CrashLoop", p.name() + ": " + why));
                case null -> {}
            }
        }
        if (!fleet.marked().isEmpty() && fleet.rollingOut()) {
            out.add(
                    new Condition(
                            "RolloutInProgress",
                            "pods of two revisions: nothing is taken away until one is left"));
        }
        // One of a kind is enough; the first says it.
        Set<String> types = new HashSet<>();
        out.removeIf(c -> !types.add(c.type()));
        return out;
    }

    private Condition obstacle(KubernetesClientException e) {
        String said =
                e.getStatus() == null || e.getStatus().getMessage() == null
                        ? e.getMessage()
                        : e.getStatus().getMessage();
        return switch (e.getCode()) {
            case 403 -> new Condition("Forbidden", "the Role does not allow: " + said);
            case 401 -> new Condition("Forbidden", "not logged in: " + said);
            default -> new Condition("ApiUnavailable", "the API server does not answer: " + said);
        };
    }
}
