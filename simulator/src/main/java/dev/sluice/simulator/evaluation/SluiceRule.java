package dev.sluice.simulator.evaluation;

import dev.sluice.autoscaler.decision.Decision;
import dev.sluice.autoscaler.decision.History;
import dev.sluice.autoscaler.decision.Recommendation;
import dev.sluice.autoscaler.decision.Situation;
import dev.sluice.autoscaler.decision.SlotModel;
import dev.sluice.autoscaler.decision.Spec;
import dev.sluice.autoscaler.signal.Observation;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.autoscaler.signal.Window;

/// The shipped decision in the loop of the shipped autoscaler: a look each two seconds, the slots
/// learned on the way.
final class SluiceRule implements Rule {
    private static final long EVERY_MS = 2_000;
    private static final long HOUR_MS = 3_600_000;
    private static final long OBSERVED_MS = 600_000;

    private final Spec spec;
    private final boolean busyCpu;
    private final SlotModel slots;
    private Window window = Window.EMPTY;
    private History history = History.EMPTY;

    /// @param busyCpu whether the engine's CPU is at 100 % as soon as one sequence runs
    SluiceRule(Spec spec, boolean busyCpu) {
        this.spec = spec;
        this.busyCpu = busyCpu;
        this.slots = new SlotModel(spec.load());
    }

    @Override
    public int want(Fleet fleet, long nowMs) {
        if (nowMs % EVERY_MS != 0) {
            return fleet.asked();
        }
        Replicas replicas = fleet.replicas(busyCpu);
        Observation seen = fleet.observe(replicas);
        window = window.add(seen, Math.max(OBSERVED_MS, spec.zero().idle().toMillis() + 60_000));
        slots.learn(seen, replicas);
        Recommendation now =
                Decision.decide(
                        spec, new Situation(window, history, replicas, slots.slots(), nowMs));
        history = history.add(now, Math.max(HOUR_MS, 3 * spec.scaleDown().window().toMillis()));
        return now.replicas();
    }

    @Override
    public Removal removal() {
        return new Removal(true, spec.scaleDown().drain().toMillis());
    }
}
