package dev.sluice.simulator.evaluation;

/// How many replicas to ask for. Asked once a second; holds its own state, so that each run needs a
/// new one.
interface Rule {

    /// The number to ask for now; {@link Fleet#asked} to leave it.
    int want(Fleet fleet, long nowMs);

    /// How it takes replicas away.
    Removal removal();

    /// @param drains whether the replica with the least in flight goes, else a random one
    /// @param graceMs what its calls have left before it is killed
    record Removal(boolean drains, long graceMs) {
        /// The proxy is asked to drain the least busy one.
        static final Removal DRAINED = new Removal(true, 600_000);

        /// A Deployment's: random, with the usual grace period of a pod.
        static final Removal POD = new Removal(false, 30_000);

        /// A Knative revision's: its sidecar waits for the calls, up to the revision's time-out.
        static final Removal KNATIVE = new Removal(false, 300_000);
    }
}
