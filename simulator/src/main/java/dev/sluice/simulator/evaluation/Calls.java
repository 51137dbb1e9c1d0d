package dev.sluice.simulator.evaluation;

import dev.sluice.simulator.trace.TraceCall;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

/// The calls of a trace as arrays, in the order of their arrival.
final class Calls {
    private static final long SECOND_NANOS = 1_000_000_000;

    final double[] atMs;
    final int[] prompt;
    final int[] output;
    final List<List<Long>> blocks;

    private Calls(double[] atMs, int[] prompt, int[] output, List<List<Long>> blocks) {
        this.atMs = atMs;
        this.prompt = prompt;
        this.output = output;
        this.blocks = blocks;
    }

    /// A trace whose times are whole seconds was rounded when it was written; its calls are spread
    /// over the time that the rounding took away, each seed in its own way.
    static Calls of(List<TraceCall> trace, long seed) {
        long grain = 0;
        for (TraceCall call : trace) {
            grain = gcd(call.arrival().toNanos(), grain);
        }
        double jitterMs = grain >= SECOND_NANOS && trace.size() > 1 ? grain / 1e6 : 0;
        var random = new SplittableRandom(seed);
        double[] at = new double[trace.size()];
        for (int i = 0; i < at.length; i++) {
            at[i] =
                    trace.get(i).arrival().toNanos() / 1e6
                            + (jitterMs > 0 ? random.nextDouble(jitterMs) : 0);
        }
        Integer[] order = new Integer[at.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, Comparator.comparingDouble(i -> at[i]));
        double[] sorted = new double[at.length];
        int[] prompt = new int[at.length];
        int[] output = new int[at.length];
        var blocks = new ArrayList<List<Long>>(at.length);
        for (int i = 0; i < at.length; i++) {
            TraceCall call = trace.get(order[i]);
            sorted[i] = at[order[i]];
            prompt[i] = call.inputTokens();
            output[i] = call.outputTokens();
            blocks.add(call.blocks());
        }
        return new Calls(sorted, prompt, output, blocks);
    }

    int count() {
        return atMs.length;
    }

    double lastMs() {
        return atMs[atMs.length - 1];
    }

    private static long gcd(long a, long b) {
        return b == 0 ? a : gcd(b, a % b);
    }
}
