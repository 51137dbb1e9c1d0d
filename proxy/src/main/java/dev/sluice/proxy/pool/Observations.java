package dev.sluice.proxy.pool;

import dev.sluice.shared.EngineLoad;

import org.jspecify.annotations.Nullable;

/// What is known of an endpoint at the moment it is judged.
///
/// @param drained why it may take nothing new; null: it may
/// @param trial how the trial since the last judgement ended
/// @param recent its last 10 s
/// @param peerTtftNanos the pool's median of {@link Recent#ttftNanos}; null when nobody has one
/// @param peerTokenNanos the pool's median of {@link Recent#nanosPerToken}
/// @param load the last scrape; null when it reports nothing
/// @param stale whether it used to report and stopped
/// @param preemptionsPerSecond between the last two scrapes; 0 when not reported
/// @param cooling whether it asked for a pause
/// @param mayEject whether statistics may take one more endpoint of this pool out
/// @param progressing whether bytes of an answer came within the last seconds
record Observations(
        @Nullable String drained,
        Probes probes,
        int refusedInARow,
        int failuresInARow,
        Trial trial,
        Recent recent,
        @Nullable Double peerTtftNanos,
        @Nullable Double peerTokenNanos,
        @Nullable EngineLoad load,
        boolean stale,
        double preemptionsPerSecond,
        boolean cooling,
        boolean mayEject,
        boolean progressing) {

    /// @param passes in a row; 0 after a failure
    /// @param failures in a row; 0 after a pass
    /// @param last why the last one failed; empty after a pass
    /// @param connectable whether the last one got a connection
    /// @param silent whether the last one got a connection and no answer in time
    record Probes(int passes, int failures, String last, boolean connectable, boolean silent) {
        static final Probes NONE_YET = new Probes(0, 0, "", true, false);

        Probes passed() {
            return new Probes(passes + 1, 0, "", true, false);
        }

        Probes failed(String why, boolean connected, boolean unanswered) {
            return new Probes(0, failures + 1, why, connected, unanswered);
        }
    }

    enum Trial {
        NONE,
        SUCCEEDED,
        FAILED
    }
}
