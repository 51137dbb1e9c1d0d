package dev.sluice.autoscaler.target;

import dev.sluice.autoscaler.signal.Condition;
import dev.sluice.autoscaler.signal.Proxies;
import dev.sluice.autoscaler.signal.ProxyReport;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.autoscaler.target.Child.Phase;
import dev.sluice.shared.LoadReport.EndpointLoad;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// Replicas that are child processes of this machine: starts, probes, announces, drains, stops.
///
/// A replica goes in this order, and none of its calls is cut: every proxy is told to drain it; all
/// report 0 in flight in a report made after they agreed, or the drain limit is over; the endpoint
/// is removed; SIGTERM; SIGKILL after the grace. What is announced follows from the reports: a
/// ready replica that a proxy does not list (it started anew and forgot) is registered there, and
/// one that is gone is removed where it is still listed. So nothing has to be remembered for each
/// proxy, and a missed call mends itself with the next look.
public final class LocalProcesses implements Target {
    private static final Logger log = LoggerFactory.getLogger(LocalProcesses.class);

    /// A pid may come again; its start time is read from the same clock, within this.
    private static final long START_TOLERANCE_MS = 2_000;

    private static final int MISSED_PROBES = 3;
    private static final int CRASH_LOOP = 3;
    private static final long BACK_OFF_MS = 1_000;
    private static final long MAX_BACK_OFF_MS = 60_000;

    /// Ready for this long ends a row of crashes.
    private static final long STABLE_MS = 60_000;

    private final String pool;
    private final ProcessSpec spec;
    private final Duration drain;
    private final Proxies proxies;
    private final StateFile state;
    private final Probes probes;
    private final ColdStarts coldStarts = new ColdStarts();
    private final List<Child> children = new ArrayList<>();

    /// Gone, and perhaps still known to a proxy.
    private final Set<String> departed = new HashSet<>();

    private List<ProxyReport> reports = List.of();
    private boolean outOfPorts;

    /// Adopts what an earlier autoscaler left running; starts nothing.
    ///
    /// @param drain the longest that a replica may take to finish its calls
    /// @param stateFolder where the running children are written down
    /// @throws dev.sluice.shared.ConfigException when the folder is not usable, or is in use
    public LocalProcesses(
            String pool,
            ProcessSpec spec,
            Duration drain,
            Proxies proxies,
            Path stateFolder,
            long nowMs) {
        this.pool = pool;
        this.spec = spec;
        this.drain = drain;
        this.proxies = proxies;
        this.state = new StateFile(stateFolder, pool.replaceAll("[^A-Za-z0-9._-]", "_"));
        this.probes = new Probes(spec.ready());
        state.read().forEach(e -> adopt(e, nowMs));
    }

    @Override
    public String name() {
        return "process " + Path.of(spec.command().getFirst()).getFileName();
    }

    @Override
    public Replicas look(List<ProxyReport> fresh, long nowMs) throws InterruptedException {
        reports = fresh;
        List.copyOf(children).stream().filter(c -> !c.alive()).forEach(c -> died(c, nowMs));
        List<Child> asked =
                children.stream()
                        .filter(c -> c.phase == Phase.STARTING || c.phase == Phase.READY)
                        .toList();
        List<Boolean> answers = probes.ask(asked.stream().map(c -> c.url).toList());
        for (int i = 0; i < asked.size(); i++) {
            probed(asked.get(i), answers.get(i), nowMs);
        }
        for (Child c : children) {
            if (c.phase == Phase.READY) {
                c.measureCpu(spec.cores(), nowMs);
            }
        }
        return new Replicas(
                children.stream().map(Child::replica).toList(),
                coldStarts.quantiles(),
                conditions());
    }

    @Override
    public void carryOn(List<ProxyReport> fresh, long nowMs) throws InterruptedException {
        reports = fresh;
        for (Child c : List.copyOf(children)) {
            switch (c.phase) {
                case STARTING -> {}
                case READY -> announce(c);
                case DRAINING -> drain(c, nowMs);
                case STOPPING -> {
                    if (nowMs - c.sinceMs > spec.grace().toMillis()) {
                        c.kill();
                    }
                }
                case CRASHED -> {
                    if (nowMs >= c.retryAtMs) {
                        start(c, nowMs);
                    }
                }
            }
        }
        forget();
        save();
    }

    @Override
    public void scaleTo(int replicas, long nowMs) throws InterruptedException {
        outOfPorts = false;
        while (asked() < replicas && (undrain(nowMs) || add(nowMs))) {
            // until there are enough, or no port is left
        }
        while (asked() > replicas) {
            take(victim(), nowMs);
        }
        save();
    }

    @Override
    public void close() throws InterruptedException {
        if (!spec.keepOnExit()) {
            new Shutdown(pool, spec, proxies).stop(children);
            children.clear();
        }
        save();
        probes.close();
        state.close();
    }

    private void adopt(StateFile.Entry entry, long nowMs) {
        ProcessHandle handle = ProcessHandle.of(entry.pid()).orElse(null);
        var child = new Child(spec, entry.port());
        if (handle == null
                || Math.abs(Child.startMs(handle) - entry.startMs()) > START_TOLERANCE_MS) {
            departed.add(child.id);
            return;
        }
        child.adopt(handle, nowMs);
        boolean fits =
                entry.command().equals(String.join(" ", spec.command()))
                        && entry.port() >= spec.firstPort()
                        && entry.port() <= spec.lastPort();
        child.unwanted = !fits;
        if (!fits || entry.draining()) {
            child.enter(Phase.DRAINING, nowMs);
        }
        children.add(child);
        log.info(
                "{} {} (pid {}) of an earlier autoscaler",
                fits ? "adopted" : "ends, since its command or port is no longer wanted:",
                child.id,
                entry.pid());
    }

    private void died(Child c, long nowMs) {
        switch (c.phase) {
            case CRASHED -> {}
            case DRAINING, STOPPING -> {
                children.remove(c);
                departed.add(c.id);
                log.info("{} stopped", c.id);
            }
            case STARTING, READY -> {
                c.crashes =
                        c.phase == Phase.READY && nowMs - c.sinceMs > STABLE_MS
                                ? 1
                                : c.crashes + 1;
                c.lastEnd = c.describeEnd(state.output(c.port));
                backOff(c, nowMs);
            }
        }
    }

    private void backOff(Child c, long nowMs) {
        c.enter(Phase.CRASHED, nowMs);
        long wait = Math.min(MAX_BACK_OFF_MS, BACK_OFF_MS << Math.min(10, c.crashes - 1));
        c.retryAtMs = nowMs + wait;
        departed.add(c.id);
        log.warn("{} died ({}), starts again in {} ms", c.id, c.lastEnd, wait);
    }

    private void probed(Child c, boolean ok, long nowMs) {
        if (ok && c.phase == Phase.STARTING) {
            long took = nowMs - c.startedMs;
            if (c.coldStart) {
                coldStarts.add(took);
            }
            c.coldStart = false;
            c.enter(Phase.READY, nowMs);
            log.info("{} ready after {} ms", c.id, took);
        } else if (!ok && c.phase == Phase.READY && ++c.missedProbes >= MISSED_PROBES) {
            c.enter(Phase.STARTING, nowMs);
            log.warn("{} no longer answers {}", c.id, spec.ready());
        } else if (ok) {
            c.missedProbes = 0;
        }
    }

    /// Registers it at every proxy that answers and does not list it.
    private void announce(Child c) throws InterruptedException {
        departed.remove(c.id);
        for (ProxyReport r : reports) {
            if (r.pool(pool) != null && r.endpoint(pool, c.id) == null) {
                c.announced = true;
                if (!proxies.register(r.proxy(), pool, c.url.toString())) {
                    log.warn("{} did not register {}", r.proxy(), c.id);
                }
            }
        }
    }

    private void drain(Child c, long nowMs) throws InterruptedException {
        boolean done =
                reports.stream()
                        .allMatch(
                                r ->
                                        r.report() != null
                                                && c.toldToDrain.contains(r.proxy())
                                                && inFlight(r, c) == 0);
        boolean late = nowMs - c.sinceMs > drain.toMillis();
        if (done || late) {
            if (!done) {
                log.warn("{} stops with calls in flight: the drain limit is over", c.id);
            }
            stop(c, nowMs);
            return;
        }
        for (ProxyReport r : reports) {
            EndpointLoad known = r.endpoint(pool, c.id);
            boolean forgot = known != null && !known.state().equals("draining");
            if ((forgot || !c.toldToDrain.contains(r.proxy())) && proxies.drain(r.proxy(), c.id)) {
                c.toldToDrain.add(r.proxy());
            }
        }
    }

    private void stop(Child c, long nowMs) throws InterruptedException {
        for (ProxyReport r : reports) {
            if (r.report() != null) {
                proxies.remove(r.proxy(), c.id);
            }
        }
        c.enter(Phase.STOPPING, nowMs);
        c.terminate();
    }

    /// Removes what is gone from the proxies that still list it.
    private void forget() throws InterruptedException {
        for (String id : List.copyOf(departed)) {
            boolean known = false;
            for (ProxyReport r : reports) {
                known |= r.report() == null;
                if (r.endpoint(pool, id) != null) {
                    known = true;
                    proxies.remove(r.proxy(), id);
                }
            }
            if (!known) {
                departed.remove(id);
            }
        }
    }

    /// Takes back the replica that began to drain last: it is warm.
    private boolean undrain(long nowMs) throws InterruptedException {
        for (Child c : children.reversed()) {
            if (c.phase == Phase.DRAINING && !c.unwanted) {
                for (ProxyReport r : reports) {
                    proxies.undrain(r.proxy(), c.id);
                }
                c.toldToDrain.clear();
                c.enter(Phase.READY, nowMs);
                return true;
            }
        }
        return false;
    }

    private boolean add(long nowMs) {
        for (int port = spec.firstPort(); port <= spec.lastPort(); port++) {
            int p = port;
            boolean ours = children.stream().anyMatch(c -> c.port == p);
            if (ours || departed.contains(spec.id(port)) || taken(port)) {
                continue;
            }
            var child = new Child(spec, port);
            children.add(child);
            start(child, nowMs);
            return true;
        }
        outOfPorts = true;
        return false;
    }

    private void start(Child c, long nowMs) {
        try {
            c.start(spec, state.output(c.port), nowMs);
            writeDown(c);
            c.run();
            log.info("{} starting", c.id);
        } catch (IOException e) {
            c.crashes++;
            c.lastEnd = String.valueOf(e.getMessage());
            backOff(c, nowMs);
        }
    }

    /// No replica runs that is not written down: whenever this program is killed, the next one knows
    /// what runs.
    private void writeDown(Child c) {
        try {
            save();
        } catch (UncheckedIOException e) {
            c.kill();
            throw e;
        }
    }

    /// What dies or starts loses nothing; of the ready ones, the least in flight, then the newest.
    private Child victim() {
        return children.stream()
                .filter(c -> c.phase != Phase.DRAINING && c.phase != Phase.STOPPING)
                .min(
                        Comparator.<Child>comparingInt(LocalProcesses::worth)
                                .thenComparingInt(c -> reports.stream().mapToInt(r -> inFlight(r, c)).sum())
                                .thenComparing(Comparator.comparingLong((Child c) -> c.startedMs).reversed())
                                .thenComparing(Comparator.comparingInt((Child c) -> c.port).reversed()))
                .orElseThrow();
    }

    private static int worth(Child c) {
        return switch (c.phase) {
            case CRASHED -> 0;
            case STARTING -> 1;
            case READY, DRAINING, STOPPING -> 2;
        };
    }

    private void take(Child c, long nowMs) {
        if (c.phase == Phase.CRASHED) {
            children.remove(c);
            departed.add(c.id);
        } else if (c.announced) {
            c.enter(Phase.DRAINING, nowMs);
            log.info("{} draining", c.id);
        } else {
            c.enter(Phase.STOPPING, nowMs);
            c.terminate();
        }
    }

    private int inFlight(ProxyReport report, Child c) {
        EndpointLoad known = report.endpoint(pool, c.id);
        return known == null ? 0 : known.inFlight();
    }

    private int asked() {
        return (int)
                children.stream()
                        .filter(c -> c.phase != Phase.DRAINING && c.phase != Phase.STOPPING)
                        .count();
    }

    private boolean taken(int port) {
        try (var socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(spec.host(), port));
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private List<Condition> conditions() {
        var out = new ArrayList<Condition>();
        for (Child c : children) {
            if (c.crashes >= CRASH_LOOP && c.phase != Phase.READY) {
                out.add(
                        new Condition(
                                "CrashLoop", c.id + " died " + c.crashes + " times: " + c.lastEnd));
            }
        }
        if (outOfPorts) {
            out.add(
                    new Condition(
                            "NoFreePort",
                            "every port of " + spec.firstPort() + "-" + spec.lastPort() + " is taken"));
        }
        return out;
    }

    private void save() {
        state.write(
                children.stream().map(c -> c.entry(spec)).filter(Objects::nonNull).toList());
    }
}
