package dev.sluice.autoscaler.signal;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// One look at one pool: what all its proxies reported together, and the CPU of its replicas.
///
/// @param timeMs when it was made
/// @param proxies how many there should be
/// @param load the sum over the proxies; null unless every one of them answered, since the load of
///   some is not the load
/// @param problems what was missing, one sentence each
/// @param cpu of the replicas
public record Observation(
        long timeMs, int proxies, @Nullable Load load, List<String> problems, Cpu cpu) {

    /// Sums over all proxies. Counts are since the observation before.
    ///
    /// @param held of the queued, those that wait while nothing could serve them
    /// @param oldestQueuedMs the longest wait of any queue's first call
    /// @param predictedWaitMs the longest predicted one; null when none was measured
    /// @param saturated calls refused or given up for want of capacity
    /// @param ttftP95Ms the worst of the proxies'; null without calls
    public record Load(
            int inFlight,
            int queued,
            int held,
            long oldestQueuedMs,
            @Nullable Long predictedWaitMs,
            long arrivals,
            long completed,
            long failed,
            long saturated,
            long outputTokens,
            @Nullable Double ttftP95Ms,
            List<EndpointSample> endpoints) {

        /// Calls that run or wait: the work.
        public int work() {
            return inFlight + queued;
        }

        public boolean busy() {
            return inFlight > 0 || queued > 0 || arrivals > 0;
        }
    }

    /// One endpoint, over all proxies.
    ///
    /// @param batch sequences that the engine runs at once: its own count where it reports one,
    ///   else the proxies' in-flight
    /// @param waiting sequences in the engine's own queue; null when it reports none
    /// @param cap what the proxies send at once; null when uncapped
    /// @param failures exchanges that failed by its fault, since the observation before
    /// @param timePerTokenMs mean time per output token of recent streams; null without any
    public record EndpointSample(
            String id,
            int inFlight,
            double batch,
            @Nullable Double waiting,
            @Nullable Integer cap,
            long failures,
            @Nullable Double timePerTokenMs) {}
}
