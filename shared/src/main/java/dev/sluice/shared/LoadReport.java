package dev.sluice.shared;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// What one proxy knows of its load right now: `GET /admin/v1/load`. The one thing that the proxy
/// and the autoscaler exchange. In JSON the names are in snake_case; unknown ones are ignored by
/// readers.
///
/// Totals count since the proxy's start and never fall while {@link #startedMs} stays the same, so
/// a reader takes differences and is not hurt by a missed poll. Null means "not known", never zero.
///
/// @param proxy a name for this process that lives as long as it does
/// @param timeMs when this was made, milliseconds since the epoch by the proxy's clock
/// @param startedMs when the process started; a change means all totals began again
/// @param ready false while it drains
/// @param pools one entry for each pool of the configuration, also when it has no endpoint
public record LoadReport(
        String proxy, long timeMs, long startedMs, boolean ready, List<PoolLoad> pools) {

    /// @param pool its name
    /// @param models what it serves
    /// @param inFlight calls begun and not yet at their last byte
    /// @param queued calls waiting for a slot
    /// @param held of those, the ones waiting while no endpoint exists that could serve them
    /// @param oldestQueuedMs how long the first of the queue has waited; 0 when none waits
    /// @param predictedWaitMs what a call arriving now would wait; null before any was measured
    /// @param slots what the ready endpoints may run at once; null where an endpoint has no cap
    /// @param arrivalsTotal calls that asked for this pool
    /// @param completedTotal calls that ended well
    /// @param failedTotal calls that ended with an upstream's failure (5xx, reset, time-out)
    /// @param saturatedTotal calls refused for want of capacity (queue full, queue deadline,
    ///   429/503)
    /// @param cancelledTotal calls that the client left
    /// @param promptTokensTotal prompt tokens, reported or estimated
    /// @param outputTokensTotal output tokens relayed
    /// @param ttftP95Ms 95th percentile of time to first token over the last 60 s; null without
    ///   calls
    public record PoolLoad(
            String pool,
            List<String> models,
            int inFlight,
            int queued,
            int held,
            long oldestQueuedMs,
            @Nullable Long predictedWaitMs,
            @Nullable Integer slots,
            long arrivalsTotal,
            long completedTotal,
            long failedTotal,
            long saturatedTotal,
            long cancelledTotal,
            long promptTokensTotal,
            long outputTokensTotal,
            @Nullable Double ttftP95Ms,
            List<EndpointLoad> endpoints) {}

    /// @param id as in the admin API and in `x-sluice-endpoint`
    /// @param url its base address
    /// @param state `starting`, `healthy`, `degraded`, `unhealthy` or `draining`
    /// @param reason why it is in that state
    /// @param stateSinceMs when it entered it, milliseconds since the epoch
    /// @param inFlight this proxy's exchanges on it
    /// @param cap how many this proxy sends at once; null when uncapped
    /// @param running the engine's own count; null when it reports none
    /// @param waiting the engine's own queue; null when it reports none
    /// @param kvUsage share of the KV cache in use, 0 to 1; null when it reports none
    /// @param engineAgeMs age of these three; null when never read
    /// @param attemptsTotal exchanges begun
    /// @param failuresTotal exchanges that failed by the endpoint's fault
    /// @param timePerTokenMs mean time per output token of recent streams; null without any
    public record EndpointLoad(
            String id,
            String url,
            String state,
            String reason,
            long stateSinceMs,
            int inFlight,
            @Nullable Integer cap,
            @Nullable Double running,
            @Nullable Double waiting,
            @Nullable Double kvUsage,
            @Nullable Long engineAgeMs,
            long attemptsTotal,
            long failuresTotal,
            @Nullable Double timePerTokenMs) {}
}
