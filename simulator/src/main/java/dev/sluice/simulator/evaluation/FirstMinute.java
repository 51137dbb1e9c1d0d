package dev.sluice.simulator.evaluation;

import dev.sluice.autoscaler.decision.SlotModel;
import dev.sluice.autoscaler.decision.Spec;
import dev.sluice.autoscaler.signal.Observation;
import dev.sluice.autoscaler.signal.Observation.EndpointSample;
import dev.sluice.autoscaler.signal.Observation.Load;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.simulator.trace.TraceCall;

import java.time.Duration;
import java.util.List;

/// How many replicas a service runs with whose next minute is the first of the trace, which was cut
/// out of it: the calls of that minute in flight, by Little's law, each for as long as it takes in
/// a full batch, over the slots per replica that the decision knows of an engine before it has
/// measured it, and the usual spare, rounded up. Nothing later than that minute is read.
public final class FirstMinute {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private FirstMinute() {}

    /// Within min and max of the scenario.
    public static int replicas(List<TraceCall> trace, Scenario scenario) {
        double busyMs = 0;
        for (TraceCall call : trace) {
            if (call.arrival().compareTo(MINUTE) < 0) {
                busyMs += scenario.prefillMs(call.inputTokens());
                busyMs += (call.outputTokens() - 1) * scenario.fullItlMs();
            }
        }
        Spec spec = Contender.spec(scenario, 1);
        double need = busyMs / MINUTE.toMillis() / slots(spec, scenario.model().slots());
        int replicas = (int) Math.ceil(need + spec.load().spare());
        return Math.clamp(replicas, scenario.min(), scenario.max());
    }

    private static double slots(Spec spec, int cap) {
        var idle = new EndpointSample("r0", 0, 0, 0.0, cap, 0, null);
        var load = new Load(0, 0, 0, 0, null, 0, 0, 0, 0, 0, null, List.of(idle));
        var none = new Replicas(List.of(), Replicas.ColdStart.UNKNOWN, List.of());
        var model = new SlotModel(spec.load());
        model.learn(new Observation(0, 1, load, List.of(), none.cpu()), none);
        return model.slots();
    }
}
