package dev.sluice.proxy.listener;

import dev.sluice.proxy.call.Lane;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/// The client connections of one event loop, looked at ten times a second for what is overdue: one
/// timer for all, none per call. Used on that loop only, but for the count.
final class Connected {
    private static final long TICK_MILLIS = 100;

    /// A client's connection, whatever it speaks.
    interface Member {
        void tick(long now);

        /// The proxy stops: no further request is wanted.
        void drain();

        /// Ends what runs.
        void abort();
    }

    private final Lane lane;
    private final Set<Member> connections = new HashSet<>();
    private final AtomicInteger calls = new AtomicInteger();
    private boolean draining;
    private boolean leaving;

    Connected(Lane lane) {
        this.lane = lane;
        var _ =
                lane.loop()
                        .scheduleWithFixedDelay(
                                this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
    }

    Lane lane() {
        return lane;
    }

    void add(Member connection) {
        connections.add(connection);
    }

    void remove(Member connection) {
        connections.remove(connection);
    }

    void callBegun() {
        calls.lazySet(calls.get() + 1);
    }

    void callEnded() {
        calls.lazySet(calls.get() - 1);
    }

    /// Calls now running; any thread.
    int calls() {
        return calls.get();
    }

    boolean draining() {
        return draining;
    }

    /// Whether connections without a call are closed.
    boolean leaving() {
        return leaving;
    }

    /// From now on each response is the last on its connection. Idle connections stay for now: a
    /// request may be on its way on each of them.
    void drain() {
        draining = true;
        each(Member::drain);
    }

    /// From now on connections are closed once they have been idle for a moment.
    void leave() {
        leaving = true;
    }

    /// Ends what still runs.
    void abort() {
        each(Member::abort);
    }

    private void tick() {
        long now = lane.nanoClock().getAsLong();
        each(connection -> connection.tick(now));
    }

    /// Over a copy where there is anything to do: a connection may leave the set meanwhile.
    private void each(Consumer<Member> what) {
        if (connections.isEmpty()) {
            return;
        }
        List<Member> all = new ArrayList<>(connections);
        all.forEach(what);
    }
}
