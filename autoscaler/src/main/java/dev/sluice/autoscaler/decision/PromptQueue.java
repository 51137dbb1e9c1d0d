package dev.sluice.autoscaler.decision;

import dev.sluice.autoscaler.signal.Observation;
import dev.sluice.autoscaler.signal.Observation.EndpointSample;
import dev.sluice.autoscaler.signal.Observation.Load;

import org.jspecify.annotations.Nullable;

/// How many replicas it takes to read the prompts in time.
///
/// Slots say how many calls can be answered at once, not how fast prompts are read: long prompts
/// fill an engine's own queue while most of its slots are free. That queue is taken for an M/M/1
/// one: when reading is busy for a share ρ of the time, calls wait behind it for a share ρ² of the
/// time (two or more are there; Kleinrock, Queueing Systems, 1975). So ρ is the root of the share
/// of looks at an engine that find calls waiting. With λ calls a second over n replicas one prompt
/// takes `S = ρ·n / λ`, and the mean wait stays below a target T while `ρ ≤ T / (T + S)`. So the
/// need is `n·ρ·(T + S) / T`. T is a quarter of the wait objective: waits are nearly exponential,
/// and e⁻⁴ of them are longer than four means.
///
/// The length of the queue is not asked: one burst makes a queue long and is gone before a replica
/// has started.
///
/// Where it fails: calls in bunches wait more often than M/M/1 says, so the root is too large (ρ is
/// at least the share of such looks); calls at even distances wait less often, and ρ is larger than
/// the root; a queue for want of slots or memory is read as one of prompts, and replicas cure it
/// all the same; an engine that reports no queue is not seen.
final class PromptQueue {
    private static final double OF_OBJECTIVE = 0.25;

    private PromptQueue() {}

    /// Replicas, not rounded; null when engines report no queue, or no call came.
    ///
    /// @param spanMs what is looked at, up to now
    static @Nullable Double need(Spec spec, Situation s, long spanMs) {
        int looks = 0;
        int engines = 0;
        int waiting = 0;
        double calls = 0;
        long firstMs = s.nowMs();
        for (Observation o : s.window().since(s.nowMs() - spanMs)) {
            Load load = o.load();
            if (load == null) {
                continue;
            }
            if (looks++ == 0) {
                firstMs = o.timeMs();
            } else {
                calls += load.arrivals();
            }
            for (EndpointSample e : load.endpoints()) {
                if (e.waiting() != null) {
                    engines++;
                    waiting += e.waiting() > 0 ? 1 : 0;
                }
            }
        }
        double seconds = (s.nowMs() - firstMs) / 1000.0;
        if (engines == 0 || calls == 0 || seconds <= 0) {
            return null;
        }
        double busyReplicas = Math.sqrt((double) waiting / engines) * engines / looks;
        double promptSeconds = busyReplicas * seconds / calls;
        double target = OF_OBJECTIVE * spec.load().waitObjective().toMillis() / 1000;
        return busyReplicas * (target + promptSeconds) / target;
    }
}
