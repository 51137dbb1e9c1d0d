package dev.sluice.simulator.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// The schedule of one who knows the whole future: every arrival, every length, how long each start
/// will take. It starts just early enough, pays for each start, and never cuts a call. Its schedule
/// is feasible, hence no better than the best there is: a bound on the optimum from above.
///
/// Search: the work of the trace in replicas over time, smoothed, held up for a while and divided
/// by a utilisation, is a schedule; for each smoothing and hold the largest utilisation that keeps
/// the attainment is found by bisection. The cheapest of these is then thinned: pieces of it go
/// down by one where that costs the fewest good calls for each replica-hour, for as long as the
/// attainment holds.
final class Clairvoyant {
    /// The schedule's grain.
    private static final int STEP_S = 5;

    private static final int[] SMOOTH_S = {10, 30, 60, 180};
    private static final int[] HOLD_S = {0, 60, 300, 900};
    private static final int BISECTIONS = 5;
    private static final int PIECES = 64;
    private static final int ROUNDS = 3;

    private final Calls calls;
    private final Scenario scenario;
    private final long seed;
    private final List<Point> points = new ArrayList<>();

    /// A schedule and what came of it.
    private record Point(Follow plan, Outcome outcome) {}

    /// Follows a schedule: replicas that should be ready in each step.
    private static final class Follow implements Rule {
        private final int[] ready;

        Follow(int[] ready) {
            this.ready = ready;
        }

        @Override
        public int want(Fleet fleet, long nowMs) {
            int asked = fleet.asked();
            int from = Math.min(ready.length - 1, (int) (nowMs / 1000 / STEP_S));
            double horizon = nowMs + fleet.nextColdStartMs() + 1000;
            int to = Math.min(ready.length - 1, (int) (horizon / 1000 / STEP_S));
            int most = 0;
            for (int i = from; i <= to; i++) {
                most = Math.max(most, ready[i]);
            }
            // The next start's time says nothing of the one after it: one a second.
            return most > asked ? asked + 1 : most;
        }

        @Override
        public Removal removal() {
            return Removal.DRAINED;
        }
    }

    Clairvoyant(Calls calls, Scenario scenario, long seed) {
        this.calls = calls;
        this.scenario = scenario;
        this.seed = seed;
    }

    /// The cheapest that it finds with that attainment; the best attainment when it finds none.
    Outcome search(double attainment) {
        double[] work = work();
        for (int smooth : SMOOTH_S) {
            for (int hold : HOLD_S) {
                bisect(held(smooth(work, smooth / STEP_S), hold / STEP_S), attainment);
            }
        }
        Point best = cheapest(attainment);
        for (int round = 0; round < ROUNDS; round++) {
            best = thin(best, attainment);
        }
        return best.outcome;
    }

    private void bisect(double[] work, double attainment) {
        double low = 0.15;
        double high = 1.5;
        for (int i = 0; i < BISECTIONS; i++) {
            double utilisation = (low + high) / 2;
            int[] ready = new int[work.length];
            for (int t = 0; t < ready.length; t++) {
                int need = (int) Math.ceil(work[t] / utilisation - 1e-9);
                ready[t] = Math.clamp(need, scenario.min(), scenario.max());
            }
            Point p = tried(ready);
            points.add(p);
            if (p.outcome.attainment() >= attainment) {
                low = utilisation;
            } else {
                high = utilisation;
            }
        }
    }

    private Point cheapest(double attainment) {
        Point best = points.getFirst();
        for (Point p : points) {
            best = p.outcome.betterThan(best.outcome, attainment) ? p : best;
        }
        return best;
    }

    /// Lowers pieces of the schedule by one, the best bargain first.
    private Point thin(Point from, double attainment) {
        record Cut(int start, int end, double perHour) {}
        int length = Math.max(1, from.plan.ready.length / PIECES);
        var cuts = new ArrayList<Cut>();
        for (int start = 0; start < from.plan.ready.length; start += length) {
            int end = Math.min(from.plan.ready.length, start + length);
            int[] ready = lowered(from.plan.ready, start, end);
            if (Arrays.equals(ready, from.plan.ready)) {
                continue;
            }
            Point p = tried(ready);
            double saved = from.outcome.replicaHours() - p.outcome.replicaHours();
            double lost = from.outcome.attainment() - p.outcome.attainment();
            if (saved > 0) {
                cuts.add(new Cut(start, end, lost / saved));
            }
        }
        cuts.sort(Comparator.comparingDouble(Cut::perHour));
        Point best = from;
        for (Cut c : cuts) {
            Point p = tried(lowered(best.plan.ready, c.start, c.end));
            if (p.outcome.attainment() >= attainment
                    && p.outcome.replicaHours() < best.outcome.replicaHours()) {
                best = p;
            }
        }
        return best;
    }

    private int[] lowered(int[] ready, int start, int end) {
        int[] out = ready.clone();
        for (int i = start; i < end; i++) {
            out[i] = Math.max(scenario.min(), out[i] - 1);
        }
        return out;
    }

    private Point tried(int[] ready) {
        var plan = new Follow(ready);
        return new Point(plan, new Day(calls, scenario, plan, scenario.begin(), seed).run());
    }

    /// Replicas that work in each step: prompts being read, and slots of sequences that decode.
    private double[] work() {
        double stepMs = STEP_S * 1000.0;
        double[] out = new double[(int) (calls.lastMs() / stepMs) + 1];
        double itl = scenario.fullItlMs();
        int slots = scenario.model().slots();
        for (int i = 0; i < calls.count(); i++) {
            double prefill = scenario.prefillMs(calls.prompt[i]);
            double start = calls.atMs[i];
            spread(out, start, start + prefill, 1, stepMs);
            double decode = (calls.output[i] - 1) * itl;
            spread(out, start + prefill, start + prefill + decode, 1.0 / slots, stepMs);
        }
        return out;
    }

    private static void spread(double[] out, double from, double to, double weight, double step) {
        for (int i = (int) (from / step); i < out.length && i * step < to; i++) {
            double share = Math.min(to, (i + 1) * step) - Math.max(from, i * step);
            out[i] += weight * share / step;
        }
    }

    private static double[] smooth(double[] work, int steps) {
        double[] out = new double[work.length];
        for (int i = 0; i < work.length; i++) {
            int from = Math.max(0, i - steps / 2);
            int to = Math.min(work.length, from + Math.max(1, steps));
            double sum = 0;
            for (int j = from; j < to; j++) {
                sum += work[j];
            }
            out[i] = sum / (to - from);
        }
        return out;
    }

    /// The most of a step and of so many after it.
    private static double[] held(double[] work, int steps) {
        double[] out = new double[work.length];
        for (int i = 0; i < work.length; i++) {
            for (int j = i; j <= Math.min(work.length - 1, i + steps); j++) {
                out[i] = Math.max(out[i], work[j]);
            }
        }
        return out;
    }
}
