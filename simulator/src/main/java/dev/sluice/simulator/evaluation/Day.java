package dev.sluice.simulator.evaluation;

import dev.sluice.autoscaler.signal.Observation;
import dev.sluice.autoscaler.signal.Observation.EndpointSample;
import dev.sluice.autoscaler.signal.Observation.Load;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.autoscaler.signal.Replicas.Replica;
import dev.sluice.autoscaler.signal.Replicas.State;
import dev.sluice.autoscaler.target.ColdStarts;
import dev.sluice.simulator.evaluation.Samples.Column;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;

/// One run of a trace against one rule, in virtual time: arrivals, what the engines do, and once a
/// second everything else (starts, ends, measurements, the rule).
///
/// The proxy is the shipped one in miniature: the least loaded ready replica with a free slot, else
/// a queue from which a call goes to the first slot that becomes free. A call waits 30 s in it, or
/// 300 s while no replica exists, and 1,024 may wait. A replica that dies or is killed takes the
/// calls with it that have seen a token; the others go back to the front of the queue.
///
/// The same seed makes the same run. One thread.
final class Day implements Fleet, FastReplica.Sink {
    private static final double TICK_MS = 1000;
    private static final double FIRST_MS = 600_000;
    private static final double DEADLINE_MS = 30_000;
    private static final double HELD_MS = 300_000;
    private static final int DEPTH = 1024;
    private static final double TAIL_MS = 3_600_000;
    private static final double REVERSAL_MS = 600_000;

    private final Calls calls;
    private final Scenario scenario;
    private final Rule rule;
    private final SplittableRandom random;
    private final SplittableRandom starts;
    private final List<Node> nodes = new ArrayList<>();
    private final ColdStarts coldStarts = new ColdStarts();
    private final Samples samples = new Samples();
    private final ArrayDeque<Integer> queue = new ArrayDeque<>();
    private final double[] firstMs;
    private final double[] doneMs;
    private final Node[] at;
    private final BitSet held;
    private double nowMs;
    private double nextColdMs;
    private int arrived;
    private int open;
    private int born;
    private int turn;
    private double billedMs;
    private double billedFirstMs;
    private int lastDirection;
    private double lastChangeMs;
    private int reversals;
    private int cut;
    private int saturated;
    private int completed;
    private int failed;
    private long promptTokens;
    private long hitTokens;
    private int arrivedSeen;
    private int completedSeen;
    private int failedSeen;
    private int saturatedSeen;
    private int endedSampled;
    private int failedSampled;

    /// @param initial replicas that are ready when it begins
    Day(Calls calls, Scenario scenario, Rule rule, int initial, long seed) {
        this.calls = calls;
        this.scenario = scenario;
        this.rule = rule;
        this.random = new SplittableRandom(seed);
        this.starts = new SplittableRandom(~seed);
        this.firstMs = new double[calls.count()];
        this.doneMs = new double[calls.count()];
        this.at = new Node[calls.count()];
        this.held = new BitSet(calls.count());
        Arrays.fill(firstMs, Double.NaN);
        Arrays.fill(doneMs, Double.NaN);
        nextColdMs = scenario.coldStart().drawMs(starts);
        for (int i = 0; i < initial; i++) {
            ready(start());
        }
    }

    Outcome run() {
        double tickMs = 0;
        while (arrived < calls.count() || open > 0) {
            Node first = null;
            double engineMs = Double.POSITIVE_INFINITY;
            for (Node node : nodes) {
                double next = node.engine.nextMs();
                if (next < engineMs) {
                    engineMs = next;
                    first = node;
                }
            }
            double arrivalMs =
                    arrived < calls.count() ? calls.atMs[arrived] : Double.POSITIVE_INFINITY;
            if (first != null && engineMs <= arrivalMs && engineMs <= tickMs) {
                nowMs = engineMs;
                first.engine.step();
                dispatch();
            } else if (arrivalMs <= tickMs) {
                nowMs = arrivalMs;
                arrive(arrived++);
            } else {
                nowMs = tickMs;
                tickMs += TICK_MS;
                tick();
                if (nowMs > calls.lastMs() + TAIL_MS) {
                    break;
                }
            }
        }
        nodes.forEach(this::bill);
        return outcome();
    }

    private void arrive(int call) {
        if (!nodes.isEmpty()
                && !nodes.getFirst().engine.fits(calls.prompt[call], calls.output[call])) {
            failed++;
            return;
        }
        if (ready() == 0) {
            held.set(call);
        }
        open++;
        if (queue.isEmpty()) {
            Node node = leastLoaded();
            if (node != null) {
                send(call, node);
                return;
            }
        }
        if (queue.size() >= DEPTH) {
            refuse();
            return;
        }
        queue.addLast(call);
    }

    private void refuse() {
        saturated++;
        open--;
    }

    private void dispatch() {
        while (!queue.isEmpty()) {
            Node node = leastLoaded();
            if (node == null) {
                return;
            }
            send(queue.removeFirst(), node);
        }
    }

    private void send(int call, Node node) {
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
                    && node.inFlight < scenario.model().slots()
                    && (best == null || node.inFlight < best.inFlight)) {
                best = node;
            }
        }
        return best;
    }

    @Override
    public void firstToken(int call, double ms) {
        firstMs[call] = ms;
    }

    @Override
    public void done(int call, double ms) {
        doneMs[call] = ms;
        completed++;
        open--;
        Node node = at[call];
        node.inFlight--;
        int more = calls.output[call] - 1;
        if (more > 0) {
            node.ended(ms, (ms - firstMs[call]) / more, more);
        }
    }

    private void tick() {
        for (Node node : List.copyOf(nodes)) {
            if (node.state == State.STARTING && node.readyAtMs <= nowMs) {
                coldStarts.add((long) (node.readyAtMs - node.sinceMs));
                ready(node);
            } else if (node.state == State.READY && node.crashAtMs <= nowMs) {
                lose(node, false);
                retire(node);
                node.restart(nowMs, drawColdStart(), engine());
            } else if (node.state == State.DRAINING
                    && (node.inFlight == 0 || node.killAtMs <= nowMs)) {
                lose(node, true);
                remove(node);
            }
        }
        expire();
        dispatch();
        sample();
        int want = Math.clamp(rule.want(this, (long) nowMs), 0, scenario.max());
        scaleTo(want);
    }

    /// Calls that have waited too long.
    private void expire() {
        double limit = ready() == 0 ? HELD_MS : DEADLINE_MS;
        while (!queue.isEmpty() && nowMs - calls.atMs[queue.getFirst()] > limit) {
            int call = queue.getFirst();
            // One that was held has the longer time, also when replicas are there by now.
            if (held.get(call) && nowMs - calls.atMs[call] <= HELD_MS) {
                return;
            }
            queue.removeFirst();
            refuse();
        }
    }

    private void lose(Node node, boolean byScaleDown) {
        for (int call : node.engine.calls().reversed()) {
            if (Double.isNaN(firstMs[call])) {
                queue.addFirst(call);
                continue;
            }
            failed++;
            open--;
            cut += byScaleDown ? 1 : 0;
        }
    }

    private void sample() {
        int inFlight = 0;
        int engineWaiting = 0;
        double busy = 0;
        double load = 0;
        for (Node node : nodes) {
            node.sampleCpu(nowMs);
            inFlight += node.inFlight;
            engineWaiting += node.engine.waiting();
            if (node.state == State.READY) {
                busy += node.cpuBusy;
                load += node.cpuLoad;
            }
        }
        int bad = failed + saturated;
        samples.begin();
        samples.put(Column.IN_FLIGHT, inFlight);
        samples.put(Column.QUEUED, queue.size());
        samples.put(Column.WAITING, queue.size() + engineWaiting);
        samples.put(Column.READY, ready());
        samples.put(Column.ASKED, asked());
        samples.put(Column.CPU_BUSY, busy);
        samples.put(Column.CPU_LOAD, load);
        samples.put(Column.ENDED, completed + bad - endedSampled);
        samples.put(Column.FAILED, bad - failedSampled);
        endedSampled = completed + bad;
        failedSampled = bad;
    }

    private void scaleTo(int want) {
        int asked = asked();
        if (want == asked) {
            return;
        }
        int direction = Integer.signum(want - asked);
        if (lastDirection != 0
                && direction != lastDirection
                && nowMs - lastChangeMs <= REVERSAL_MS) {
            reversals++;
        }
        lastDirection = direction;
        lastChangeMs = nowMs;
        for (; asked < want; asked++) {
            start();
        }
        for (; asked > want; asked--) {
            stop(victim());
        }
    }

    private Node start() {
        Node node = new Node("r" + born++, nowMs, engine());
        node.readyAtMs = nowMs + drawColdStart();
        nodes.add(node);
        return node;
    }

    private FastReplica engine() {
        return new FastReplica(scenario.model(), nowMs, this);
    }

    private double drawColdStart() {
        double drawn = nextColdMs;
        nextColdMs = scenario.coldStart().drawMs(starts);
        return drawn;
    }

    private void ready(Node node) {
        node.state = State.READY;
        node.sinceMs = nowMs;
        double mean = scenario.crashEvery().toMillis();
        if (mean > 0) {
            node.crashAtMs = nowMs - mean * Math.log(1 - random.nextDouble());
        }
    }

    /// One that starts goes first: it serves nobody.
    private Node victim() {
        Node best = null;
        int seen = 0;
        for (Node node : nodes) {
            if (node.state == State.DRAINING) {
                continue;
            }
            if (best == null) {
                best = node;
                seen = 1;
                continue;
            }
            boolean starting = node.state == State.STARTING;
            boolean bestStarting = best.state == State.STARTING;
            if (starting != bestStarting) {
                best = starting ? node : best;
            } else if (starting) {
                best = node;
            } else if (rule.removal().drains()) {
                best = node.inFlight <= best.inFlight ? node : best;
            } else if (random.nextInt(++seen) == 0) {
                best = node;
            }
        }
        if (best == null) {
            throw new IllegalStateException("nothing to stop");
        }
        return best;
    }

    private void stop(Node node) {
        if (node.inFlight == 0) {
            remove(node);
            return;
        }
        node.state = State.DRAINING;
        node.sinceMs = nowMs;
        node.killAtMs = nowMs + rule.removal().graceMs();
    }

    private void remove(Node node) {
        bill(node);
        retire(node);
        nodes.remove(node);
    }

    private void retire(Node node) {
        promptTokens += node.engine.promptTokens();
        hitTokens += node.engine.hitTokens();
    }

    private void bill(Node node) {
        double end = Math.min(nowMs, calls.lastMs());
        billedMs += Math.max(0, end - node.bornMs);
        billedFirstMs += Math.max(0, Math.min(end, FIRST_MS) - node.bornMs);
    }

    @Override
    public int asked() {
        int n = 0;
        for (Node node : nodes) {
            n += node.state == State.DRAINING ? 0 : 1;
        }
        return n;
    }

    @Override
    public int ready() {
        int n = 0;
        for (Node node : nodes) {
            n += node.state == State.READY ? 1 : 0;
        }
        return n;
    }

    @Override
    public Scenario scenario() {
        return scenario;
    }

    @Override
    public Samples samples() {
        return samples;
    }

    @Override
    public boolean blind() {
        return scenario.blind(nowMs);
    }

    @Override
    public Observation observe(Replicas replicas) {
        if (blind()) {
            return new Observation(
                    (long) nowMs, 1, null, List.of("the proxy does not answer"), replicas.cpu());
        }
        var endpoints = new ArrayList<EndpointSample>();
        int inFlight = 0;
        for (Node node : nodes) {
            inFlight += node.inFlight;
            if (node.state == State.READY) {
                double perToken = node.perTokenMs(nowMs);
                endpoints.add(
                        new EndpointSample(
                                node.id,
                                node.inFlight,
                                node.engine.running(),
                                (double) node.engine.waiting(),
                                scenario.model().slots(),
                                0,
                                Double.isNaN(perToken) ? null : perToken));
            }
        }
        long oldest = queue.isEmpty() ? 0 : (long) (nowMs - calls.atMs[queue.getFirst()]);
        var load =
                new Load(
                        inFlight,
                        queue.size(),
                        ready() == 0 ? queue.size() : 0,
                        oldest,
                        null,
                        arrived - arrivedSeen,
                        completed - completedSeen,
                        failed - failedSeen,
                        saturated - saturatedSeen,
                        0,
                        null,
                        endpoints);
        arrivedSeen = arrived;
        completedSeen = completed;
        failedSeen = failed;
        saturatedSeen = saturated;
        return new Observation((long) nowMs, 1, load, List.of(), replicas.cpu());
    }

    @Override
    public Replicas replicas(boolean busyCpu) {
        var all = new ArrayList<Replica>(nodes.size());
        for (Node node : nodes) {
            double cpu = busyCpu ? node.cpuBusy : node.cpuLoad;
            all.add(new Replica(node.id, node.state, (long) node.sinceMs, cpu));
        }
        return new Replicas(all, coldStarts.quantiles(), List.of());
    }

    @Override
    public double nextColdStartMs() {
        return nextColdMs;
    }

    private Outcome outcome() {
        nodes.forEach(this::retire);
        int good = 0;
        int goodLater = 0;
        int later = 0;
        int seen = 0;
        int heldLost = 0;
        double[] ttft = new double[calls.count()];
        double itlLimit = 3 * scenario.fullItlMs();
        for (int i = 0; i < calls.count(); i++) {
            double first = firstMs[i] - calls.atMs[i];
            if (!Double.isNaN(first)) {
                ttft[seen++] = first;
            }
            boolean done = !Double.isNaN(doneMs[i]);
            int more = calls.output[i] - 1;
            boolean ok =
                    done
                            && first <= 2000 + 2 * scenario.prefillMs(calls.prompt[i])
                            && (more == 0 || (doneMs[i] - firstMs[i]) / more <= itlLimit);
            good += ok ? 1 : 0;
            if (calls.atMs[i] >= FIRST_MS) {
                later++;
                goodLater += ok ? 1 : 0;
            }
            heldLost += held.get(i) && !done ? 1 : 0;
        }
        double[] sorted = Arrays.copyOf(ttft, seen);
        Arrays.sort(sorted);
        return new Outcome(
                (double) good / calls.count(),
                later == 0 ? 1 : (double) goodLater / later,
                billedMs / 3.6e6,
                (billedMs - billedFirstMs) / 3.6e6,
                seen == 0 ? Double.NaN : sorted[(int) (0.50 * (seen - 1))],
                seen == 0 ? Double.NaN : sorted[(int) (0.99 * (seen - 1))],
                reversals,
                cut,
                saturated,
                held.cardinality(),
                heldLost,
                promptTokens == 0 ? 0 : (double) hitTokens / promptTokens);
    }
}
