package dev.sluice.simulator.evaluation;

import java.util.List;
import java.util.function.ToDoubleFunction;

/// One rule at one setting of its knob, over all seeds.
public record Point(String name, double setting, List<Outcome> outcomes) {
    public double mean(ToDoubleFunction<Outcome> what) {
        return outcomes.stream().mapToDouble(what).average().orElseThrow();
    }

    public double min(ToDoubleFunction<Outcome> what) {
        return outcomes.stream().mapToDouble(what).min().orElseThrow();
    }

    public double max(ToDoubleFunction<Outcome> what) {
        return outcomes.stream().mapToDouble(what).max().orElseThrow();
    }

    public double attainment() {
        return mean(Outcome::attainment);
    }

    public double hours() {
        return mean(Outcome::replicaHours);
    }
}
