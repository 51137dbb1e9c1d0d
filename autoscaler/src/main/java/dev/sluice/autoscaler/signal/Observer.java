package dev.sluice.autoscaler.signal;

import dev.sluice.autoscaler.signal.Observation.EndpointSample;
import dev.sluice.autoscaler.signal.Observation.Load;
import dev.sluice.shared.LoadReport;
import dev.sluice.shared.LoadReport.EndpointLoad;
import dev.sluice.shared.LoadReport.PoolLoad;

import org.jspecify.annotations.Nullable;

import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/// Folds the reports of all proxies into observations of one pool. Remembers each proxy's last
/// totals: a difference is what happened in between; a proxy that started anew (its `started_ms`
/// changed) counts from zero. A report that does not move for {@link #FROZEN_MS} is no answer.
///
/// One thread.
public final class Observer {
    /// Proxies make a report when asked, or each second; ten times that is dead.
    private static final long FROZEN_MS = 10_000;

    /// An engine's own figures older than this are not about now.
    private static final long ENGINE_AGE_MS = 5_000;

    private final String pool;
    private final Map<URI, Seen> seen = new HashMap<>();

    /// What a proxy said last, and when its report last moved.
    private record Seen(LoadReport report, PoolLoad pool, long movedMs) {}

    public Observer(String pool) {
        this.pool = pool;
    }

    public Observation observe(List<ProxyReport> reports, Cpu cpu, long nowMs) {
        var problems = new ArrayList<String>();
        var sum = new Sum();
        for (ProxyReport each : reports) {
            LoadReport report = each.report();
            PoolLoad now = each.pool(pool);
            if (report == null) {
                problems.add(each.problem());
                continue;
            }
            if (now == null) {
                problems.add(each.proxy() + " has no pool " + pool);
                continue;
            }
            Seen last = seen.get(each.proxy());
            boolean same = last != null && last.report.startedMs() == report.startedMs();
            boolean moved = last == null || !same || report.timeMs() != last.report.timeMs();
            long movedMs = moved || last == null ? nowMs : last.movedMs;
            seen.put(each.proxy(), new Seen(report, now, movedMs));
            if (nowMs - movedMs > FROZEN_MS) {
                problems.add(each.proxy() + " repeats one report");
                continue;
            }
            // The first look at a proxy only sets the mark: its totals are of its whole life.
            sum.add(now, last == null ? now : same ? last.pool : null);
        }
        seen.keySet().retainAll(reports.stream().map(ProxyReport::proxy).toList());
        boolean whole = problems.isEmpty() && !reports.isEmpty();
        return new Observation(
                nowMs, reports.size(), whole ? sum.load() : null, List.copyOf(problems), cpu);
    }

    private static long since(
            PoolLoad now, @Nullable PoolLoad before, ToLongFunction<PoolLoad> total) {
        return Math.max(
                0, total.applyAsLong(now) - (before == null ? 0 : total.applyAsLong(before)));
    }

    private static final class Sum {
        private final Map<String, EndpointSum> endpoints = new LinkedHashMap<>();
        private int inFlight;
        private int queued;
        private int held;
        private long oldestQueuedMs;
        private @Nullable Long predictedWaitMs;
        private long arrivals;
        private long completed;
        private long failed;
        private long saturated;
        private long outputTokens;
        private @Nullable Double ttftP95Ms;

        void add(PoolLoad now, @Nullable PoolLoad before) {
            inFlight += now.inFlight();
            queued += now.queued();
            held += now.held();
            oldestQueuedMs = Math.max(oldestQueuedMs, now.oldestQueuedMs());
            if (now.predictedWaitMs() != null) {
                predictedWaitMs =
                        predictedWaitMs == null
                                ? now.predictedWaitMs()
                                : Math.max(predictedWaitMs, now.predictedWaitMs());
            }
            if (now.ttftP95Ms() != null) {
                ttftP95Ms =
                        ttftP95Ms == null ? now.ttftP95Ms() : Math.max(ttftP95Ms, now.ttftP95Ms());
            }
            arrivals += since(now, before, PoolLoad::arrivalsTotal);
            completed += since(now, before, PoolLoad::completedTotal);
            failed += since(now, before, PoolLoad::failedTotal);
            saturated += since(now, before, PoolLoad::saturatedTotal);
            outputTokens += since(now, before, PoolLoad::outputTokensTotal);
            for (EndpointLoad endpoint : now.endpoints()) {
                endpoints
                        .computeIfAbsent(endpoint.id(), id -> new EndpointSum())
                        .add(endpoint, failuresBefore(before, endpoint));
            }
        }

        private static long failuresBefore(@Nullable PoolLoad before, EndpointLoad now) {
            if (before != null) {
                for (EndpointLoad e : before.endpoints()) {
                    if (e.id().equals(now.id()) && e.failuresTotal() <= now.failuresTotal()) {
                        return e.failuresTotal();
                    }
                }
            }
            return 0;
        }

        Load load() {
            var samples = new ArrayList<EndpointSample>();
            endpoints.forEach((id, e) -> samples.add(e.sample(id)));
            return new Load(
                    inFlight,
                    queued,
                    held,
                    oldestQueuedMs,
                    predictedWaitMs,
                    arrivals,
                    completed,
                    failed,
                    saturated,
                    outputTokens,
                    ttftP95Ms,
                    List.copyOf(samples));
        }
    }

    private static final class EndpointSum {
        private int inFlight;
        private int cap;
        private boolean uncapped;
        private long failures;
        private @Nullable Double running;
        private @Nullable Double waiting;
        private double tokenTime;
        private double weight;

        void add(EndpointLoad e, long failuresBefore) {
            inFlight += e.inFlight();
            failures += e.failuresTotal() - failuresBefore;
            if (e.cap() == null) {
                uncapped = true;
            } else {
                cap += e.cap();
            }
            boolean fresh = e.engineAgeMs() != null && e.engineAgeMs() <= ENGINE_AGE_MS;
            if (fresh && e.running() != null) {
                running = running == null ? e.running() : Math.max(running, e.running());
            }
            if (fresh && e.waiting() != null) {
                waiting = waiting == null ? e.waiting() : Math.max(waiting, e.waiting());
            }
            if (e.timePerTokenMs() != null) {
                double share = Math.max(1, e.inFlight());
                tokenTime += e.timePerTokenMs() * share;
                weight += share;
            }
        }

        EndpointSample sample(String id) {
            return new EndpointSample(
                    id,
                    inFlight,
                    running == null ? inFlight : running,
                    waiting,
                    uncapped ? null : cap,
                    failures,
                    weight == 0 ? null : tokenTime / weight);
        }
    }
}
