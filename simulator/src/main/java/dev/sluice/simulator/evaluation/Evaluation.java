package dev.sluice.simulator.evaluation;

import dev.sluice.simulator.replica.ReplicaModel;
import dev.sluice.simulator.trace.TraceCall;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;

/// All rules on one trace: each knob swept, each setting with several seeds; then the clairvoyant.
public final class Evaluation {
    /// What the clairvoyant aims at, and at what replica-hours are compared.
    public static final double GOAL = 0.99;

    private final List<Calls> calls = new ArrayList<>();
    private final Scenario scenario;
    private final IntConsumer progress;
    private int done;

    /// @param oracle null where it was not asked for; the clairvoyant at {@link #GOAL} or at the
    ///   attainment of Sluice's usual setting if that is better, so that it is never worse in one
    ///   figure while better in the other
    /// @param oracleAtGoal at {@link #GOAL}; null likewise
    /// @param workBoundHours replica-hours below which the tokens cannot be made, whatever the
    ///   schedule
    public record Report(
            Duration span,
            List<Point> points,
            List<Point> usual,
            @Nullable Point oracle,
            @Nullable Point oracleAtGoal,
            double workBoundHours) {

        /// The clairvoyant's points; none where it was not asked for.
        public List<Point> oracles() {
            if (oracle == null || oracleAtGoal == null) {
                return List.of();
            }
            return oracle.equals(oracleAtGoal) ? List.of(oracle) : List.of(oracleAtGoal, oracle);
        }

        /// The points of one rule, by its settings.
        public List<Point> of(String name) {
            return points.stream().filter(p -> p.name().equals(name)).toList();
        }

        /// Replica-hours at an attainment, between the points of the rule's frontier; NaN when none
        /// reaches it.
        public double hoursAt(String name, double attainment) {
            Point before = null;
            for (Point p : frontier(of(name))) {
                if (p.attainment() >= attainment) {
                    if (before == null) {
                        return p.hours();
                    }
                    double share =
                            (attainment - before.attainment())
                                    / (p.attainment() - before.attainment());
                    return before.hours() + share * (p.hours() - before.hours());
                }
                before = p;
            }
            return Double.NaN;
        }

        /// Attainment at replica-hours, between the points of the rule's frontier; NaN below its
        /// cheapest.
        public double attainmentAt(String name, double hours) {
            Point before = null;
            for (Point p : frontier(of(name))) {
                if (p.hours() > hours) {
                    if (before == null) {
                        return Double.NaN;
                    }
                    double share = (hours - before.hours()) / (p.hours() - before.hours());
                    return before.attainment() + share * (p.attainment() - before.attainment());
                }
                before = p;
            }
            return before == null ? Double.NaN : before.attainment();
        }
    }

    /// @param progress told how many runs are over, from any thread
    public Evaluation(List<TraceCall> trace, Scenario scenario, int seeds, IntConsumer progress) {
        for (int seed = 0; seed < seeds; seed++) {
            calls.add(Calls.of(trace, seed));
        }
        this.scenario = scenario;
        this.progress = progress;
    }

    /// The points that no other of them beats, cheapest first.
    public static List<Point> frontier(List<Point> points) {
        var sorted = new ArrayList<>(points);
        sorted.sort(Comparator.comparingDouble(Point::hours));
        var out = new ArrayList<Point>();
        for (Point p : sorted) {
            if (out.isEmpty() || p.attainment() > out.getLast().attainment()) {
                out.add(p);
            }
        }
        return out;
    }

    /// Every rule at every setting, and the clairvoyant.
    public Report run(List<Contender> contenders) throws InterruptedException {
        return run(contenders, true);
    }

    /// Every rule at its usual setting, and no clairvoyant; a constant fleet at all of them.
    public Report usual(List<Contender> contenders) throws InterruptedException {
        return run(contenders.stream().map(Contender::atUsual).toList(), false);
    }

    private Report run(List<Contender> contenders, boolean clairvoyant)
            throws InterruptedException {
        int cores = Runtime.getRuntime().availableProcessors();
        try (ExecutorService pool = Executors.newFixedThreadPool(cores)) {
            return run(contenders, clairvoyant, pool);
        }
    }

    private Report run(List<Contender> contenders, boolean clairvoyant, ExecutorService pool)
            throws InterruptedException {
        var runs = new ArrayList<List<Future<Outcome>>>();
        for (Contender c : contenders) {
            for (double setting : c.settings()) {
                runs.add(each(pool, seed -> outcome(c, setting, seed)));
            }
        }
        var points = new ArrayList<Point>();
        var usual = new ArrayList<Point>();
        int i = 0;
        for (Contender c : contenders) {
            var own = new ArrayList<Point>();
            for (double setting : c.settings()) {
                own.add(new Point(c.name(), setting, get(runs.get(i++))));
            }
            points.addAll(own);
            usual.add(usual(c, own));
        }
        double goal = GOAL;
        for (Point p : usual) {
            goal = p.name().equals("sluice") ? Math.max(goal, p.attainment()) : goal;
        }
        Point atGoal = clairvoyant ? oracle(pool, GOAL, points) : null;
        Point oracle = clairvoyant && goal > GOAL ? oracle(pool, goal, points) : atGoal;
        return new Report(
                Duration.ofMillis((long) calls.getFirst().lastMs()),
                List.copyOf(points),
                List.copyOf(usual),
                oracle,
                atGoal,
                workBoundHours());
    }

    /// A constant fleet's usual setting is the best in hindsight.
    private static Point usual(Contender c, List<Point> own) {
        if (c.name().equals("constant")) {
            for (Point p : own) {
                if (p.attainment() >= GOAL) {
                    return p;
                }
            }
            return own.getLast();
        }
        return own.stream().filter(p -> p.setting() == c.usual()).findFirst().orElseThrow();
    }

    /// The best of the clairvoyant's own schedules, and of all that the others happened to follow:
    /// it could have followed those too.
    private Point oracle(ExecutorService pool, double goal, List<Point> others)
            throws InterruptedException {
        List<Future<Outcome>> own =
                each(pool, seed -> new Clairvoyant(calls.get(seed), scenario, seed).search(goal));
        var best = new ArrayList<Outcome>(get(own));
        for (Point p : others) {
            // A constant fleet begins with its own number: nobody can follow that.
            for (int seed = 0; seed < best.size() && !p.name().equals("constant"); seed++) {
                Outcome o = p.outcomes().get(seed);
                best.set(seed, o.betterThan(best.get(seed), goal) ? o : best.get(seed));
            }
        }
        return new Point("oracle", goal, best);
    }

    private interface Run {
        Outcome of(int seed);
    }

    private List<Future<Outcome>> each(ExecutorService pool, Run run) {
        var out = new ArrayList<Future<Outcome>>();
        for (int seed = 0; seed < calls.size(); seed++) {
            int mine = seed;
            Callable<Outcome> task =
                    () -> {
                        Outcome o = run.of(mine);
                        tell();
                        return o;
                    };
            out.add(pool.submit(task));
        }
        return out;
    }

    private synchronized void tell() {
        progress.accept(++done);
    }

    private Outcome outcome(Contender c, double setting, int seed) {
        Rule rule = c.maker().rule(setting, scenario, seed);
        int initial = c.name().equals("constant") ? (int) setting : scenario.begin();
        return new Day(calls.get(seed), scenario, rule, initial, seed).run();
    }

    /// What one rule saw and did at its usual setting, with the first seed.
    public Samples samples(Contender c) {
        Rule rule = c.maker().rule(c.usual(), scenario, 0);
        var day = new Day(calls.getFirst(), scenario, rule, scenario.begin(), 0);
        day.run();
        return day.samples();
    }

    private static List<Outcome> get(List<Future<Outcome>> runs) throws InterruptedException {
        var out = new ArrayList<Outcome>();
        for (Future<Outcome> run : runs) {
            try {
                out.add(run.get());
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause());
            }
        }
        return out;
    }

    /// Reading takes its time, and decoding goes on at 0.3 meanwhile; batches are always full.
    /// Prefix caches are left out, so with shared prefixes it is no bound.
    private double workBoundHours() {
        Calls c = calls.getFirst();
        double prefill = 0;
        double decode = 0;
        for (int i = 0; i < c.count(); i++) {
            prefill += scenario.prefillMs(c.prompt[i]);
            decode += (c.output[i] - 1) * scenario.fullItlMs() / scenario.model().slots();
        }
        double share = ReplicaModel.DECODE_SHARE_DURING_PREFILL;
        double work = Math.max(prefill, decode + (1 - share) * prefill);
        return Math.max(work, scenario.min() * c.lastMs()) / 3.6e6;
    }
}
