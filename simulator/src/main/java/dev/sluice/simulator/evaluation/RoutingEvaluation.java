package dev.sluice.simulator.evaluation;

import dev.sluice.proxy.pool.Policy;
import dev.sluice.simulator.replica.ReplicaModel;
import dev.sluice.simulator.trace.TraceCall;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.ToDoubleFunction;

/// Routing policies on one trace, side by side, over a fleet that stays as it is.
public final class RoutingEvaluation {
    /// The policies by name, as in the configuration.
    public static final List<String> NAMES =
            Arrays.stream(Policy.values()).map(Policy::label).toList();

    private final List<Calls> calls = new ArrayList<>();
    private final List<ReplicaModel> fleet;

    /// One policy over all seeds.
    public record Row(String name, List<RoutingOutcome> results) {
        public double mean(ToDoubleFunction<RoutingOutcome> what) {
            return results.stream().mapToDouble(what).average().orElseThrow();
        }
    }

    /// @param slow how many times slower the first replica is; 1 for none
    public RoutingEvaluation(
            List<TraceCall> trace, ReplicaModel model, int replicas, double slow, int seeds) {
        for (int seed = 0; seed < seeds; seed++) {
            calls.add(Calls.of(trace, seed));
        }
        fleet = new ArrayList<>(Collections.nCopies(replicas, model));
        fleet.set(0, slower(model, slow));
    }

    /// @param name one of {@link #NAMES}
    public Row run(String name) {
        Policy policy =
                Arrays.stream(Policy.values())
                        .filter(p -> p.label().equals(name))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException(name));
        var results = new ArrayList<RoutingOutcome>();
        for (int seed = 0; seed < calls.size(); seed++) {
            results.add(new RoutingRun(calls.get(seed), fleet, policy, seed).run());
        }
        return new Row(name, List.copyOf(results));
    }

    private static ReplicaModel slower(ReplicaModel model, double times) {
        return new ReplicaModel(
                model.prefillTokensPerSecond() / times,
                model.overhead(),
                model.latency(),
                times(model.itlBase(), times),
                times(model.itlPerSequence(), times),
                model.slots(),
                model.kvBlocks(),
                model.contextTokens());
    }

    private static Duration times(Duration time, double times) {
        return Duration.ofNanos(Math.round(time.toNanos() * times));
    }
}
