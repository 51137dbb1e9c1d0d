package dev.sluice.simulator.replay;

/// Watches a replay. Called about five times a second and once at the end, on the replay's event
/// loop: must not block.
public interface ReplayListener {
    /// Watches nothing.
    ReplayListener SILENT = progress -> {};

    void progress(Progress progress);

    /// Where a replay is.
    ///
    /// @param total calls that it will make
    /// @param begun calls whose time has come
    /// @param inFlight calls begun and not ended
    record Progress(
            long total,
            long begun,
            long inFlight,
            long ok,
            long failed,
            long shed,
            long cancelled) {
        /// Calls that have ended, one way or another.
        public long ended() {
            return ok + failed + shed + cancelled;
        }
    }
}
