package dev.sluice.simulator.evaluation;

import java.util.Arrays;
import java.util.BitSet;

/// What becomes of each call of a run. A call is good when it ends whole, with its first token
/// within 2 s and twice its lone prefill, and its tokens within three times those of a full batch.
final class Fates {
    private static final double FIRST_MS = 600_000;

    private final Calls calls;
    private final Scenario scenario;
    private final double[] firstMs;
    private final double[] doneMs;
    private final BitSet held;
    private int open;
    private int arrived;
    private int completed;
    private int failed;
    private int saturated;
    private int cut;

    /// So far.
    ///
    /// @param saturated refused because their wait was too long, or the queue full
    record Counts(int arrived, int completed, int failed, int saturated) {
        static final Counts NONE = new Counts(0, 0, 0, 0);

        Counts since(Counts before) {
            return new Counts(
                    arrived - before.arrived,
                    completed - before.completed,
                    failed - before.failed,
                    saturated - before.saturated);
        }

        int bad() {
            return failed + saturated;
        }

        int ended() {
            return completed + bad();
        }
    }

    Fates(Calls calls, Scenario scenario) {
        this.calls = calls;
        this.scenario = scenario;
        this.firstMs = new double[calls.count()];
        this.doneMs = new double[calls.count()];
        this.held = new BitSet(calls.count());
        Arrays.fill(firstMs, Double.NaN);
        Arrays.fill(doneMs, Double.NaN);
    }

    /// Calls that are neither served nor lost.
    int open() {
        return open;
    }

    Counts counts() {
        return new Counts(arrived, completed, failed, saturated);
    }

    void arrived() {
        arrived++;
        open++;
    }

    /// It came while no replica was ready.
    void held(int call) {
        held.set(call);
    }

    boolean wasHeld(int call) {
        return held.get(call);
    }

    void firstToken(int call, double ms) {
        firstMs[call] = ms;
    }

    boolean streams(int call) {
        return !Double.isNaN(firstMs[call]);
    }

    /// Its mean time per token after the first; NaN when it had only one.
    double done(int call, double ms) {
        doneMs[call] = ms;
        completed++;
        open--;
        return perTokenMs(call);
    }

    void refused() {
        saturated++;
        open--;
    }

    void failed(boolean byScaleDown) {
        failed++;
        open--;
        cut += byScaleDown ? 1 : 0;
    }

    private double perTokenMs(int call) {
        int more = calls.output[call] - 1;
        return more == 0 ? Double.NaN : (doneMs[call] - firstMs[call]) / more;
    }

    private boolean good(int call) {
        double perToken = perTokenMs(call);
        return !Double.isNaN(doneMs[call])
                && ttftMs(call) <= 2000 + 2 * scenario.prefillMs(calls.prompt[call])
                && (Double.isNaN(perToken) || perToken <= 3 * scenario.fullItlMs());
    }

    private double ttftMs(int call) {
        return firstMs[call] - calls.atMs[call];
    }

    /// @param hours replica-hours, and of those the ones after the first 600 s
    Outcome outcome(double hours, double hoursLater, int reversals, double hitRatio) {
        int good = 0;
        int goodLater = 0;
        int later = 0;
        int seen = 0;
        int heldLost = 0;
        double[] ttft = new double[calls.count()];
        for (int i = 0; i < calls.count(); i++) {
            if (streams(i)) {
                ttft[seen++] = ttftMs(i);
            }
            boolean ok = good(i);
            good += ok ? 1 : 0;
            if (calls.atMs[i] >= FIRST_MS) {
                later++;
                goodLater += ok ? 1 : 0;
            }
            heldLost += held.get(i) && !streams(i) ? 1 : 0;
        }
        double[] sorted = Arrays.copyOf(ttft, seen);
        Arrays.sort(sorted);
        return new Outcome(
                (double) good / calls.count(),
                later == 0 ? 1 : (double) goodLater / later,
                hours,
                hoursLater,
                seen == 0 ? Double.NaN : sorted[(int) (0.50 * (seen - 1))],
                seen == 0 ? Double.NaN : sorted[(int) (0.99 * (seen - 1))],
                reversals,
                cut,
                saturated,
                held.cardinality(),
                heldLost,
                hitRatio);
    }
}
