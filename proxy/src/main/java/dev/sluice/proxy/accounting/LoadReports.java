package dev.sluice.proxy.accounting;

import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.EngineReport;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Snapshot;
import dev.sluice.proxy.routing.QueueView;
import dev.sluice.shared.EngineLoad;
import dev.sluice.shared.LoadReport;
import dev.sluice.shared.LoadReport.EndpointLoad;
import dev.sluice.shared.LoadReport.PoolLoad;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/// Makes the load report, from pool snapshots, queues and meters. Any thread.
///
/// @param proxy this process's name, new with each start
/// @param startedMs when it started, milliseconds since the epoch
public record LoadReports(
        String proxy,
        long startedMs,
        Supplier<List<PoolView>> views,
        CallMeters meters,
        Pulse pulse) {

    /// The pools of now.
    public List<PoolView> pools() {
        return views.get();
    }

    /// @param ready false while the proxy drains
    public LoadReport now(boolean ready, long nowNanos, long nowMs) {
        return new LoadReport(
                proxy,
                nowMs,
                startedMs,
                ready,
                pools().stream().map(view -> pool(view, nowNanos, nowMs)).toList());
    }

    private PoolLoad pool(PoolView view, long nowNanos, long nowMs) {
        Snapshot snapshot = view.pool().snapshot();
        QueueView queue = view.queue();
        PoolMeters counts = meters.pool(snapshot.pool());
        Duration predicted = queue.predictedWait();
        return new PoolLoad(
                snapshot.pool(),
                List.copyOf(snapshot.models()),
                view.inFlight(),
                queue.waiting(),
                queue.held(),
                queue.oldest().toMillis(),
                predicted == null ? null : predicted.toMillis(),
                slots(snapshot),
                queue.arrivals(),
                counts.ended(Ending.COMPLETED),
                counts.ended(Ending.FAILED),
                counts.ended(Ending.SATURATED),
                counts.ended(Ending.CANCELLED),
                counts.promptTokens.sum(),
                counts.outputTokens.sum(),
                pulse.of(snapshot.pool()).ttftP95MinuteMs(),
                snapshot.members().stream().map(m -> endpoint(m, nowNanos, nowMs)).toList());
    }

    private static EndpointLoad endpoint(Member member, long nowNanos, long nowMs) {
        Endpoint endpoint = member.endpoint();
        EngineReport engine = member.engine();
        EngineLoad load = engine == null ? null : engine.load();
        Double perToken = member.recent().nanosPerToken();
        return new EndpointLoad(
                endpoint.id(),
                endpoint.url(),
                member.health().label(),
                member.health().reason(),
                nowMs - (nowNanos - member.health().sinceNanos()) / 1_000_000,
                endpoint.inFlight(),
                cap(member),
                load == null ? null : load.running(),
                load == null ? null : load.waiting(),
                load == null ? null : load.kvUsage(),
                engine == null || load == null
                        ? null
                        : (nowNanos - engine.loadAtNanos()) / 1_000_000,
                endpoint.attempts(),
                endpoint.failures(),
                perToken == null ? null : perToken / 1e6);
    }

    /// Null as soon as one ready endpoint has no cap.
    private static @Nullable Integer slots(Snapshot snapshot) {
        int sum = 0;
        for (Member member : snapshot.members()) {
            Integer cap = cap(member);
            if (PoolView.ready(member)) {
                if (cap == null) {
                    return null;
                }
                sum += cap;
            }
        }
        return sum;
    }

    private static @Nullable Integer cap(Member member) {
        return member.cap() == Integer.MAX_VALUE ? null : member.cap();
    }
}
