package dev.sluice.autoscaler.decision;

import dev.sluice.autoscaler.signal.Observation;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.autoscaler.signal.Window;

/// What is kept from look to look: observations, steps, learned slots. The shipped loop and its
/// evaluation decide through it, so that both remember alike. One thread.
public final class Memory {
    private static final long HOUR_MS = 3_600_000;

    /// What CPU that is busy by nature has to be remembered for.
    private static final long OBSERVED_MS = 600_000;

    private final Spec spec;
    private final SlotModel slots;
    private Window window = Window.EMPTY;
    private History history = History.EMPTY;

    public Memory(Spec spec) {
        this.spec = spec;
        this.slots = new SlotModel(spec.load());
    }

    /// Takes a look in, decides, and keeps what was decided.
    ///
    /// @param nowMs on the clock of the observations
    public Recommendation decide(Observation seen, Replicas replicas, long nowMs) {
        window = window.add(seen, observedMs());
        slots.learn(seen, replicas);
        Recommendation now =
                Decision.decide(
                        spec, new Situation(window, history, replicas, slots.slots(), nowMs));
        history = history.add(now, keepMs());
        return now;
    }

    /// Nobody looked for a while: what was needed then is not known, so it counts as all that there
    /// is.
    public void gap(Replicas replicas, long nowMs) {
        int all = replicas.asked();
        history = history.with(new History.Step(nowMs, all, all, all), keepMs());
    }

    /// Changes of direction that are remembered, as {@link History#reversals}.
    public int reversals(long nowMs) {
        return history.reversals(nowMs);
    }

    private long observedMs() {
        long idle = spec.zero().idle().toMillis() + 60_000;
        return Math.max(OBSERVED_MS, Math.max(Decision.burstsMs(spec), idle));
    }

    private long keepMs() {
        return Math.max(HOUR_MS, 3 * spec.scaleDown().window().toMillis());
    }
}
