package dev.sluice.autoscaler.signal;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// The replicas of a target as they are now.
///
/// @param all every one that exists or is about to
/// @param coldStart how long they take from start to ready
/// @param conditions what the target itself has to report
public record Replicas(List<Replica> all, ColdStart coldStart, List<Condition> conditions) {

    public enum State {
        /// Exists and does not take calls yet.
        STARTING,
        READY,
        /// Finishes its calls and goes; not counted as a replica any more.
        DRAINING,
        /// Died and waits to be started again.
        CRASHED,
        /// Asked for, and there is no room for it: waiting brings nothing.
        BLOCKED
    }

    /// @param id the endpoint's, as in the load report
    /// @param sinceMs when it was first started (starting, crashed), or entered the state
    /// @param cpu use as share of what it may use, 0 to 1 (and above); null when not known
    public record Replica(String id, State state, long sinceMs, @Nullable Double cpu) {}

    /// Quantiles of the time from start to ready.
    ///
    /// @param samples how many starts they come from; 0 means that they are a guess
    public record ColdStart(long p50Ms, long p99Ms, int samples) {
        /// Before any start was seen: a model that loads from disk takes one to five minutes.
        public static final ColdStart UNKNOWN = new ColdStart(60_000, 300_000, 0);
    }

    public int count(State state) {
        return (int) all.stream().filter(r -> r.state() == state).count();
    }

    public List<Replica> in(State state) {
        return all.stream().filter(r -> r.state() == state).toList();
    }

    /// How many the target was asked for: all but those that are on their way out.
    public int asked() {
        return all.size() - count(State.DRAINING);
    }

    /// When the newest of the ready ones became ready; null without any.
    public @Nullable Long newestReadyMs() {
        Long newest = null;
        for (Replica r : in(State.READY)) {
            newest = newest == null ? r.sinceMs() : Math.max(newest, r.sinceMs());
        }
        return newest;
    }

    /// The CPU of those that are ready: the start of a process says nothing of load.
    public Cpu cpu() {
        double sum = 0;
        int known = 0;
        List<Replica> ready = in(State.READY);
        for (Replica r : ready) {
            if (r.cpu() != null) {
                sum += r.cpu();
                known++;
            }
        }
        return new Cpu(sum, known, ready.size() - known);
    }

    /// The same replicas with one more thing to report.
    public Replicas with(Condition condition) {
        var more = new ArrayList<>(conditions);
        more.add(condition);
        return new Replicas(all, coldStart, List.copyOf(more));
    }
}
