package dev.sluice.simulator.evaluation;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.Policy;
import dev.sluice.proxy.pool.PoolConfig;
import dev.sluice.proxy.pool.Slot;
import dev.sluice.proxy.pool.StillPool;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.routing.Dispatcher;
import dev.sluice.proxy.routing.Waiter;
import dev.sluice.shared.ConfigSource;
import dev.sluice.simulator.replica.ReplicaModel;

import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ImmediateEventExecutor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// One run of a trace through the shipped dispatcher, queue and policy over a fleet that stays as
/// it is, in virtual time. Health is not in it: all replicas are well, though one may be slower.
///
/// The same seed makes the same run. One thread.
final class RoutingRun implements FastReplica.Sink {
    private static final double TICK_MS = 1000;
    private static final double BYTES_PER_TOKEN = 4;

    private final Calls calls;
    private final Dispatcher dispatcher;
    private final Map<String, FastReplica> engines = new LinkedHashMap<>();
    private final Map<String, Integer> served = new LinkedHashMap<>();
    private final Slot[] slots;
    private final double[] sentMs;
    private final double[] firstMs;
    private final double[] doneMs;
    private final List<Integer> over = new ArrayList<>();
    private double nowMs;
    private int open;
    private int refused;

    /// @param fleet one model for each replica
    RoutingRun(Calls calls, List<ReplicaModel> fleet, Policy policy, long seed) {
        this.calls = calls;
        this.slots = new Slot[calls.count()];
        this.sentMs = new double[calls.count()];
        this.firstMs = new double[calls.count()];
        this.doneMs = new double[calls.count()];
        Arrays.fill(firstMs, Double.NaN);
        Arrays.fill(doneMs, Double.NaN);
        var yaml = new StringBuilder("name: p\npolicy: " + policy.label() + "\nendpoints:\n");
        for (int i = 0; i < fleet.size(); i++) {
            String id = "10.0.0." + (i + 1) + ":8000";
            yaml.append("  - url: http://").append(id).append('\n');
            engines.put(id, new FastReplica(fleet.get(i), 0, this));
            served.put(id, 0);
        }
        yaml.append("cap: ").append(fleet.getFirst().slots()).append('\n');
        PoolConfig config =
                ConfigSource.parse("evaluate", yaml.toString(), any -> null, PoolConfig::from);
        dispatcher =
                new Dispatcher(
                        StillPool.of(config, this::nowNanos),
                        this::nowNanos,
                        new SplittableRandom(seed));
    }

    RoutingOutcome run() {
        int arrived = 0;
        double tickMs = 0;
        while (arrived < calls.count() || open > 0) {
            FastReplica first = null;
            double engineMs = Double.POSITIVE_INFINITY;
            for (FastReplica engine : engines.values()) {
                if (engine.nextMs() < engineMs) {
                    engineMs = engine.nextMs();
                    first = engine;
                }
            }
            double arrivalMs =
                    arrived < calls.count() ? calls.atMs[arrived] : Double.POSITIVE_INFINITY;
            if (first != null && engineMs <= arrivalMs && engineMs <= tickMs) {
                nowMs = engineMs;
                first.step();
                giveBack();
            } else if (arrivalMs <= tickMs) {
                nowMs = arrivalMs;
                arrive(arrived++);
            } else {
                nowMs = tickMs;
                tickMs += TICK_MS;
                dispatcher.sweep();
            }
        }
        return result();
    }

    @Override
    public void firstToken(int call, double ms) {
        firstMs[call] = ms;
        slots[call].firstByte((long) ((ms - sentMs[call]) * 1e6));
    }

    @Override
    public void done(int call, double ms) {
        doneMs[call] = ms;
        over.add(call);
    }

    private long nowNanos() {
        return (long) (nowMs * 1e6);
    }

    private void arrive(int call) {
        open++;
        if (engines.values().stream()
                .anyMatch(e -> !e.fits(calls.prompt[call], calls.output[call]))) {
            open--;
            refused++;
            return;
        }
        dispatcher.acquire(new Arrival(call));
    }

    /// After the engine's step, since a place that is free goes to the next call at once.
    private void giveBack() {
        while (!over.isEmpty()) {
            int call = over.removeLast();
            open--;
            slots[call].release(AttemptResult.OK, 0);
        }
    }

    private RoutingOutcome result() {
        double[] ttft = sorted(firstMs);
        double[] whole = sorted(doneMs);
        long prompt = engines.values().stream().mapToLong(FastReplica::promptTokens).sum();
        long hits = engines.values().stream().mapToLong(FastReplica::hitTokens).sum();
        int most = served.values().stream().mapToInt(n -> n).max().orElse(0);
        double mean = served.values().stream().mapToInt(n -> n).average().orElse(0);
        return new RoutingOutcome(
                Arrays.stream(ttft).average().orElse(Double.NaN),
                p99(ttft),
                p99(whole),
                prompt == 0 ? 0 : (double) hits / prompt,
                mean == 0 ? Double.NaN : most / mean,
                refused);
    }

    private double[] sorted(double[] ends) {
        double[] out = new double[ends.length];
        int n = 0;
        for (int i = 0; i < ends.length; i++) {
            if (!Double.isNaN(ends[i])) {
                out[n++] = ends[i] - calls.atMs[i];
            }
        }
        double[] known = Arrays.copyOf(out, n);
        Arrays.sort(known);
        return known;
    }

    private static double p99(double[] sorted) {
        return sorted.length == 0 ? Double.NaN : sorted[(int) (0.99 * (sorted.length - 1))];
    }

    /// A call that asks for a slot.
    private final class Arrival implements Waiter {
        private final int call;

        Arrival(int call) {
            this.call = call;
        }

        @Override
        public InferenceRequest request() {
            long bytes = (long) (calls.prompt[call] * BYTES_PER_TOKEN);
            return new InferenceRequest(
                    "call", Api.CHAT, "", true, bytes, calls.output[call], "", null);
        }

        @Override
        public List<Endpoint> tried() {
            return List.of();
        }

        @Override
        public EventExecutor loop() {
            return ImmediateEventExecutor.INSTANCE;
        }

        @Override
        public long deadlineNanos() {
            return Long.MAX_VALUE / 2;
        }

        @Override
        public void granted(Slot slot) {
            String id = slot.endpoint().id();
            FastReplica engine = engines.get(id);
            if (engine == null) {
                throw new IllegalStateException(id + " is none of ours");
            }
            slots[call] = slot;
            sentMs[call] = nowMs;
            served.merge(id, 1, Integer::sum);
            engine.submit(
                    call, calls.prompt[call], calls.output[call], calls.blocks.get(call), nowMs);
        }

        @Override
        public void refused(Refusal refusal) {
            open--;
            refused++;
        }
    }
}
