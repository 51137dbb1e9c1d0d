package dev.sluice.simulator.evaluation;

import dev.sluice.autoscaler.decision.Memory;
import dev.sluice.autoscaler.decision.Spec;
import dev.sluice.autoscaler.signal.Replicas;

/// The shipped decision in the loop of the shipped autoscaler: a look each two seconds, the slots
/// learned on the way.
final class SluiceRule implements Rule {
    private static final long EVERY_MS = 2_000;

    private final Spec spec;
    private final boolean busyCpu;
    private final Memory memory;

    /// @param busyCpu whether the engine's CPU is at 100 % as soon as one sequence runs
    SluiceRule(Spec spec, boolean busyCpu) {
        this.spec = spec;
        this.busyCpu = busyCpu;
        this.memory = new Memory(spec);
    }

    @Override
    public int want(Fleet fleet, long nowMs) {
        if (nowMs % EVERY_MS != 0) {
            return fleet.asked();
        }
        Replicas replicas = fleet.replicas(busyCpu);
        return memory.decide(fleet.observe(replicas), replicas, nowMs).replicas();
    }

    @Override
    public Removal removal() {
        return new Removal(true, spec.scaleDown().drain().toMillis());
    }
}
