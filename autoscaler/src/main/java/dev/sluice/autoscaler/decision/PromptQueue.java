package dev.sluice.autoscaler.decision;

import dev.sluice.autoscaler.signal.Observation;
import dev.sluice.autoscaler.signal.Observation.EndpointSample;
import dev.sluice.autoscaler.signal.Observation.Load;
import dev.sluice.autoscaler.signal.Replicas.State;

import org.jspecify.annotations.Nullable;

/// How many replicas it takes to read the prompts in time.
///
/// Slots say how many calls can be answered at once, not how fast prompts are read: long prompts
/// fill an engine's own queue while most of its slots are free. That queue is taken for an M/M/1
/// one: with w calls waiting on a replica, its reading is busy for a share ρ of the time with `w =
/// ρ² / (1 − ρ)` (Kleinrock, Queueing Systems, 1975). With λ calls a second over n replicas one
/// prompt takes `S = ρ·n / λ`, and the mean wait stays below a target T while `ρ ≤ T / (T + S)`. So
/// the need is `n·ρ·(T + S) / T`. T is a quarter of the wait objective: waits are nearly
/// exponential, and e⁻⁴ of them are longer than four means.
///
/// Where it fails: routing by load makes the queues shorter than M/M/1 says, so it errs on the low
/// side until they are long; a queue for want of slots or memory is read as one of prompts, and
/// replicas cure it all the same; an engine that reports no queue is not seen.
final class PromptQueue {
    private static final double OF_OBJECTIVE = 0.25;

    private PromptQueue() {}

    /// Replicas, not rounded; null when engines report no queue, or nothing is ready.
    static @Nullable Double need(Spec spec, Situation s, long meanMs) {
        int ready = s.replicas().count(State.READY);
        Double waiting = s.window().meanLoad(s.nowMs() - meanMs, PromptQueue::waiting);
        Double perSecond = perSecond(s, meanMs);
        if (ready == 0 || waiting == null || perSecond == null) {
            return null;
        }
        double w = waiting / ready;
        double busy = (Math.sqrt(w * w + 4 * w) - w) / 2;
        double promptSeconds = busy * ready / perSecond;
        double target = OF_OBJECTIVE * spec.load().waitObjective().toMillis() / 1000;
        return ready * busy * (target + promptSeconds) / target;
    }

    private static double waiting(Load load) {
        double sum = 0;
        for (EndpointSample e : load.endpoints()) {
            sum += e.waiting() == null ? 0 : e.waiting();
        }
        return sum;
    }

    /// Arrivals; null without any.
    private static @Nullable Double perSecond(Situation s, long meanMs) {
        Observation first = s.window().since(s.nowMs() - meanMs).getFirst();
        double arrivals = s.window().sumLoad(first.timeMs() + 1, Load::arrivals);
        double seconds = (s.nowMs() - first.timeMs()) / 1000.0;
        return arrivals == 0 || seconds <= 0 ? null : arrivals / seconds;
    }
}
