package dev.sluice.simulator.evaluation;

import dev.sluice.autoscaler.signal.Replicas.State;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.List;

/// The proxy in miniature: the least loaded ready replica with a free slot, else a queue from which
/// a call goes to the first slot that becomes free. A call waits 30 s in it, or 300 s while no
/// replica exists, and 1,024 may wait. Milliseconds of the run. One thread.
final class Front {
    private static final double DEADLINE_MS = 30_000;
    private static final double HELD_MS = 300_000;
    private static final int DEPTH = 1024;

    private final Calls calls;
    private final int slots;
    private final List<Node> nodes;
    private final Fates fates;
    private final ArrayDeque<Integer> queue = new ArrayDeque<>();
    private final Node[] at;
    private int turn;

    /// @param nodes the replicas, as they come and go
    Front(Calls calls, Scenario scenario, List<Node> nodes, Fates fates) {
        this.calls = calls;
        this.slots = scenario.model().slots();
        this.nodes = nodes;
        this.fates = fates;
        this.at = new Node[calls.count()];
    }

    int queued() {
        return queue.size();
    }

    long oldestMs(double nowMs) {
        return queue.isEmpty() ? 0 : (long) (nowMs - calls.atMs[queue.getFirst()]);
    }

    int ready() {
        int n = 0;
        for (Node node : nodes) {
            n += node.state == State.READY ? 1 : 0;
        }
        return n;
    }

    void arrive(int call, double nowMs) {
        fates.arrived();
        if (!nodes.isEmpty()
                && !nodes.getFirst().engine.fits(calls.prompt[call], calls.output[call])) {
            fates.failed(false);
            return;
        }
        if (ready() == 0) {
            fates.held(call);
        }
        if (queue.isEmpty()) {
            Node node = leastLoaded();
            if (node != null) {
                send(call, node, nowMs);
                return;
            }
        }
        if (queue.size() >= DEPTH) {
            fates.refused();
            return;
        }
        queue.addLast(call);
    }

    void dispatch(double nowMs) {
        while (!queue.isEmpty()) {
            Node node = leastLoaded();
            if (node == null) {
                return;
            }
            send(queue.removeFirst(), node, nowMs);
        }
    }

    /// The replica that served it, with one call fewer.
    Node freed(int call) {
        Node node = at[call];
        node.inFlight--;
        return node;
    }

    /// To the front: its replica died before its first token.
    void again(int call) {
        queue.addFirst(call);
    }

    /// Refuses the calls that have waited too long.
    void expire(double nowMs) {
        double limit = ready() == 0 ? HELD_MS : DEADLINE_MS;
        while (!queue.isEmpty() && nowMs - calls.atMs[queue.getFirst()] > limit) {
            int call = queue.getFirst();
            // One that was held has the longer time, also when replicas are there by now.
            if (fates.wasHeld(call) && nowMs - calls.atMs[call] <= HELD_MS) {
                return;
            }
            queue.removeFirst();
            fates.refused();
        }
    }

    private void send(int call, Node node, double nowMs) {
        at[call] = node;
        node.inFlight++;
        node.engine.submit(
                call, calls.prompt[call], calls.output[call], calls.blocks.get(call), nowMs);
    }

    private @Nullable Node leastLoaded() {
        Node best = null;
        int n = nodes.size();
        turn++;
        for (int i = 0; i < n; i++) {
            Node node = nodes.get((i + turn) % n);
            if (node.state == State.READY
                    && node.inFlight < slots
                    && (best == null || node.inFlight < best.inFlight)) {
                best = node;
            }
        }
        return best;
    }
}
