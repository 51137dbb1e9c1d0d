package dev.sluice.simulator.evaluation;

import dev.sluice.autoscaler.decision.Spec;
import dev.sluice.shared.ConfigSource;
import dev.sluice.simulator.evaluation.Baselines.Constant;
import dev.sluice.simulator.evaluation.Baselines.Hpa;
import dev.sluice.simulator.evaluation.Baselines.Kpa;
import dev.sluice.simulator.evaluation.Baselines.MissionRules;
import dev.sluice.simulator.evaluation.Samples.Column;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/// A rule by name, with its main knob and the settings of it that are tried.
///
/// @param name as on the command line and in the output
/// @param knob what is swept, for people
/// @param usual the setting that stands for the rule where only one is shown
public record Contender(
        String name, String knob, double usual, List<Double> settings, Maker maker) {

    /// Makes a rule for one run.
    interface Maker {
        Rule rule(double setting, Scenario scenario, long seed);
    }

    private static final List<Double> CPU = List.of(0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9);
    private static final List<Double> OF_SLOTS = List.of(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0);
    private static final long KEDA_POLL_MS = 30_000;

    /// The names that {@link #of} knows, in the order of the table.
    public static final List<String> NAMES =
            List.of(
                    "constant",
                    "rules_cpu_saturates",
                    "rules_cpu_in_proportion",
                    "hpa_cpu",
                    "hpa_in_flight",
                    "keda_waiting",
                    "kpa",
                    "sluice",
                    "sluice_cpu_saturates");

    /// @param name one of {@link #NAMES}
    public static Contender of(String name, Scenario scenario) {
        return switch (name) {
            case "constant" ->
                    new Contender(
                            name, "replicas", 0, range(scenario), (n, s, seed) -> constant(n));
            case "rules_cpu_saturates" -> rules(name, Column.CPU_BUSY);
            case "rules_cpu_in_proportion" -> rules(name, Column.CPU_LOAD);
            case "hpa_cpu" ->
                    new Contender(
                            name,
                            "CPU target",
                            0.8,
                            CPU,
                            (x, s, seed) -> Hpa.each15s(Column.CPU_BUSY, x, random(seed)));
            case "hpa_in_flight" ->
                    new Contender(
                            name,
                            "target, share of slots",
                            0.4,
                            OF_SLOTS,
                            (x, s, seed) ->
                                    Hpa.each15s(
                                            Column.IN_FLIGHT, x * s.model().slots(), random(seed)));
            case "keda_waiting" ->
                    new Contender(
                            name,
                            "waiting per replica",
                            5,
                            List.of(0.25, 0.5, 1.0, 2.0, 5.0, 10.0),
                            (x, s, seed) -> new Hpa(Column.WAITING, x, KEDA_POLL_MS, random(seed)));
            case "kpa" ->
                    new Contender(
                            name,
                            "target, share of slots",
                            0.7,
                            OF_SLOTS,
                            (x, s, seed) -> new Kpa(x * s.model().slots()));
            case "sluice" -> sluice(name, false);
            case "sluice_cpu_saturates" -> sluice(name, true);
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static Contender rules(String name, Column cpu) {
        return new Contender(
                name, "cpuHigh", 0.8, CPU, (x, s, seed) -> new MissionRules(cpu, x, random(seed)));
    }

    private static Contender sluice(String name, boolean busyCpu) {
        return new Contender(
                name,
                "spare",
                1,
                List.of(0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0),
                (x, s, seed) -> new SluiceRule(spec(s, x), busyCpu));
    }

    /// The same at its usual setting; unchanged where only hindsight tells which that is.
    Contender atUsual() {
        return settings.contains(usual)
                ? new Contender(name, knob, usual, List.of(usual), maker)
                : this;
    }

    static Spec spec(Scenario scenario, double spare) {
        boolean zero = scenario.min() == 0;
        String yaml =
                String.format(
                        Locale.ROOT,
                        "{min: %d, max: %d, load: {spare: %s}, scaleToZero: {enabled: %s}}",
                        scenario.min(),
                        scenario.max(),
                        spare,
                        zero);
        return ConfigSource.parse("evaluate", yaml, any -> null, Spec::from);
    }

    private static Rule constant(double replicas) {
        return new Constant((int) replicas);
    }

    private static List<Double> range(Scenario scenario) {
        var out = new ArrayList<Double>();
        for (int n = Math.max(1, scenario.min()); n <= scenario.max(); n++) {
            out.add((double) n);
        }
        return out;
    }

    private static SplittableRandom random(long seed) {
        return new SplittableRandom(seed ^ 0x5eed);
    }
}
