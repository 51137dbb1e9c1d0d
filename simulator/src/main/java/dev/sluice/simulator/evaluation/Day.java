package dev.sluice.simulator.evaluation;

import dev.sluice.autoscaler.signal.Observation;
import dev.sluice.autoscaler.signal.Observation.EndpointSample;
import dev.sluice.autoscaler.signal.Observation.Load;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.autoscaler.signal.Replicas.Replica;
import dev.sluice.autoscaler.signal.Replicas.State;
import dev.sluice.autoscaler.target.ColdStarts;
import dev.sluice.simulator.evaluation.Fates.Counts;
import dev.sluice.simulator.evaluation.Samples.Column;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// One run of a trace against one rule, in virtual time: arrivals, what the engines do, and once a
/// second everything else (starts, ends, measurements, the rule).
///
/// A replica that dies or is killed takes the calls with it that have seen a token; the others go
/// back to the front of the queue ({@link Front}).
///
/// The same seed makes the same run. One thread.
final class Day implements Fleet, FastReplica.Sink {
    private static final double TICK_MS = 1000;
    private static final double FIRST_MS = 600_000;
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
    private final Fates fates;
    private final Front front;
    private Counts looked = Counts.NONE;
    private Counts sampled = Counts.NONE;
    private double nowMs;
    private double nextColdMs;
    private int arrived;
    private int born;
    private double billedMs;
    private double billedFirstMs;
    private int lastDirection;
    private double lastChangeMs;
    private int reversals;
    private long promptTokens;
    private long hitTokens;

    /// @param initial replicas that are ready when it begins
    Day(Calls calls, Scenario scenario, Rule rule, int initial, long seed) {
        this.calls = calls;
        this.scenario = scenario;
        this.rule = rule;
        this.random = new SplittableRandom(seed);
        this.starts = new SplittableRandom(~seed);
        this.fates = new Fates(calls, scenario);
        this.front = new Front(calls, scenario, nodes, fates);
        nextColdMs = scenario.coldStart().drawMs(starts);
        for (int i = 0; i < initial; i++) {
            ready(start());
        }
    }

    Outcome run() {
        double tickMs = 0;
        while (arrived < calls.count() || fates.open() > 0) {
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
                front.dispatch(nowMs);
            } else if (arrivalMs <= tickMs) {
                nowMs = arrivalMs;
                front.arrive(arrived++, nowMs);
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

    @Override
    public void firstToken(int call, double ms) {
        fates.firstToken(call, ms);
    }

    @Override
    public void done(int call, double ms) {
        double perToken = fates.done(call, ms);
        Node node = front.freed(call);
        if (!Double.isNaN(perToken)) {
            node.ended(ms, perToken, calls.output[call] - 1);
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
        front.expire(nowMs);
        front.dispatch(nowMs);
        sample();
        int want = Math.clamp(rule.want(this, (long) nowMs), 0, scenario.max());
        scaleTo(want);
    }

    private void lose(Node node, boolean byScaleDown) {
        for (int call : node.engine.calls().reversed()) {
            if (fates.streams(call)) {
                fates.failed(byScaleDown);
            } else {
                front.again(call);
            }
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
        Counts last = fates.counts().since(sampled);
        sampled = fates.counts();
        samples.begin();
        samples.put(Column.IN_FLIGHT, inFlight);
        samples.put(Column.QUEUED, front.queued());
        samples.put(Column.WAITING, front.queued() + engineWaiting);
        samples.put(Column.READY, ready());
        samples.put(Column.ASKED, asked());
        samples.put(Column.CPU_BUSY, busy);
        samples.put(Column.CPU_LOAD, load);
        samples.put(Column.ENDED, last.ended());
        samples.put(Column.FAILED, last.bad());
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
        return front.ready();
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
        Counts last = fates.counts().since(looked);
        looked = fates.counts();
        var load =
                new Load(
                        inFlight,
                        front.queued(),
                        ready() == 0 ? front.queued() : 0,
                        front.oldestMs(nowMs),
                        null,
                        last.arrived(),
                        last.completed(),
                        last.failed(),
                        last.saturated(),
                        0,
                        null,
                        endpoints);
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
        return fates.outcome(
                billedMs / 3.6e6,
                (billedMs - billedFirstMs) / 3.6e6,
                reversals,
                promptTokens == 0 ? 0 : (double) hitTokens / promptTokens);
    }
}
