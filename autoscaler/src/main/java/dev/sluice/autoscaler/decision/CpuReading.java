package dev.sluice.autoscaler.decision;

import dev.sluice.autoscaler.signal.Observation;

/// Tells an engine whose CPU is busy by nature (it polls for work) from one that is busy by work.
final class CpuReading {
    /// The start of a process, a compile, a late figure pass in this time.
    private static final long LASTING_MS = 15_000;

    /// Of the slots: with less than this in use, more slots are not what is missing. Were the CPU,
    /// calls would pile up until they are more.
    private static final double HARDLY = 0.5;

    private CpuReading() {}

    /// Whether CPU was above `cpuHigh` for 15 s on end with hardly any work, anywhere in the
    /// window: then it does not follow load, and says nothing under load either.
    static boolean busyPolling(Spec spec, Situation s) {
        Long start = null;
        for (Observation o : s.window().observations()) {
            int ready = o.cpu().known() + o.cpu().unknown();
            Double cpu = o.cpu().up();
            boolean evidence =
                    cpu != null
                            && cpu > spec.rules().cpuHigh()
                            && o.load() != null
                            && o.load().work() <= HARDLY * s.slots() * ready;
            if (!evidence) {
                start = null;
            } else if (start == null) {
                start = o.timeMs();
            } else if (o.timeMs() - start >= LASTING_MS) {
                return true;
            }
        }
        return false;
    }
}
