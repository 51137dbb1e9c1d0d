package dev.sluice.autoscaler.decision;

import dev.sluice.autoscaler.signal.Cpu;
import dev.sluice.autoscaler.signal.Observation;
import dev.sluice.autoscaler.signal.Observation.EndpointSample;
import dev.sluice.autoscaler.signal.Observation.Load;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.autoscaler.signal.Replicas.ColdStart;
import dev.sluice.autoscaler.signal.Replicas.Replica;
import dev.sluice.autoscaler.signal.Replicas.State;
import dev.sluice.autoscaler.signal.Window;
import dev.sluice.shared.ConfigSource;

import java.util.ArrayList;
import java.util.List;

/// A pool in virtual time: what is seen stays the same until it is changed, a look comes every two
/// seconds, and decisions are carried out at once, with new replicas starting.
final class Story {
    static final long LOOK_MS = 2_000;

    final Spec spec;
    final List<Replica> replicas = new ArrayList<>();
    final List<Recommendation> told = new ArrayList<>();
    ColdStart coldStart = new ColdStart(60_000, 120_000, 20);
    double slots = 8;
    long nowMs = 10_000_000;
    Window window = Window.EMPTY;
    History history = History.EMPTY;

    int inFlight;
    int queued;
    int held;
    long oldestQueuedMs;
    long arrivals;
    long completed = 20;
    long failed;
    long saturated;
    Double cpu = 0.5;
    boolean proxiesAnswer = true;
    List<EndpointSample> endpoints = List.of();
    private int made;

    Story(String yaml) {
        spec = ConfigSource.parse("test", yaml, name -> null, Spec::from);
    }

    /// Replicas that have been ready for an hour.
    Story ready(int count) {
        for (int i = 0; i < count; i++) {
            replicas.add(new Replica("r" + made++, State.READY, nowMs - 3_600_000, null));
        }
        return this;
    }

    Story starting(int count) {
        for (int i = 0; i < count; i++) {
            replicas.add(new Replica("r" + made++, State.STARTING, nowMs, null));
        }
        return this;
    }

    /// Asked for, and without room.
    Story blocked(int count) {
        for (int i = 0; i < count; i++) {
            replicas.add(new Replica("r" + made++, State.BLOCKED, nowMs, null));
        }
        return this;
    }

    /// What is starting becomes ready.
    Story started() {
        replicas.replaceAll(
                r ->
                        r.state() == State.STARTING
                                ? new Replica(r.id(), State.READY, nowMs, null)
                                : r);
        return this;
    }

    Story work(int calls) {
        inFlight = calls;
        arrivals = calls;
        return this;
    }

    /// Decisions of before fill the scale-down window, and none of them needed anything.
    Story quietPast() {
        history = new History(List.of(new History.Step(nowMs - 300_000, 0, asked(), asked())));
        return this;
    }

    /// A look without a decision.
    void see() {
        nowMs += LOOK_MS;
        int ready = (int) replicas.stream().filter(r -> r.state() == State.READY).count();
        window = window.add(observation(ready), 600_000);
    }

    /// Looks and decides until this much time is over; the last recommendation.
    Recommendation run(long seconds) {
        for (long end = nowMs + seconds * 1000; nowMs < end; ) {
            look();
        }
        return told.getLast();
    }

    Recommendation look() {
        see();
        Replicas now = new Replicas(List.copyOf(replicas), coldStart, List.of());
        Recommendation r = Decision.decide(spec, new Situation(window, history, now, slots, nowMs));
        history = history.add(r, 3_600_000);
        told.add(r);
        act(r);
        return r;
    }

    int asked() {
        return replicas.size();
    }

    /// Every number that was asked for, in order, without repeats.
    List<Integer> path() {
        var out = new ArrayList<Integer>();
        for (Recommendation r : told) {
            if (out.isEmpty() || out.getLast() != r.replicas()) {
                out.add(r.replicas());
            }
        }
        return out;
    }

    private void act(Recommendation r) {
        while (replicas.size() < r.replicas()) {
            replicas.add(new Replica("r" + made++, State.STARTING, nowMs, null));
        }
        while (replicas.size() > r.replicas()) {
            replicas.removeLast();
        }
    }

    private Observation observation(int ready) {
        Load load =
                new Load(
                        inFlight,
                        queued,
                        held,
                        oldestQueuedMs,
                        null,
                        arrivals,
                        completed,
                        failed,
                        saturated,
                        0,
                        null,
                        endpoints);
        Cpu use = cpu == null ? new Cpu(0, 0, ready) : new Cpu(cpu * ready, ready, 0);
        return new Observation(
                nowMs,
                2,
                proxiesAnswer ? load : null,
                proxiesAnswer ? List.of() : List.of("http://p2:9901: refused"),
                use);
    }
}
