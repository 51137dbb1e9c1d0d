package dev.sluice.simulator.evaluation;

import dev.sluice.autoscaler.signal.Observation;
import dev.sluice.autoscaler.signal.Replicas;

/// What a rule may look at.
interface Fleet {
    /// Replicas asked for: ready and starting.
    int asked();

    int ready();

    Scenario scenario();

    Samples samples();

    /// Whether reports and metrics are missing now.
    boolean blind();

    /// What the proxy says and the target shows, as the autoscaler sees it; counts are since the
    /// look before.
    Observation observe(Replicas replicas);

    /// @param busyCpu whether the engine's CPU is at 100 % as soon as one sequence runs
    Replicas replicas(boolean busyCpu);

    /// How long the next start will take: only a clairvoyant asks.
    double nextColdStartMs();
}
