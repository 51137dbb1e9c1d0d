package dev.sluice.simulator.evaluation;

import dev.sluice.simulator.evaluation.Samples.Column;

import java.util.ArrayDeque;
import java.util.random.RandomGenerator;

/// What clusters run today, after the sources of each.
final class Baselines {
    private Baselines() {}

    /// Always so many.
    record Constant(int replicas) implements Rule {
        @Override
        public int want(Fleet fleet, long nowMs) {
            return replicas;
        }

        @Override
        public Removal removal() {
            return Removal.DRAINED;
        }
    }

    /// A metric as a scraping pipeline delivers it: 15 to 30 s late, now and then not at all.
    private static final class Scrape {
        private static final double LOST = 0.02;

        private final RandomGenerator random;

        Scrape(RandomGenerator random) {
            this.random = random;
        }

        /// The newest row that has arrived; -1 when there is none.
        int row(Fleet fleet) {
            int row = fleet.samples().rows() - 1 - random.nextInt(15, 31);
            return row < 0 || fleet.blind() || random.nextDouble() < LOST ? -1 : row;
        }
    }

    /// The mission's rules, each minute: CPU above the mark or errors above 5 %, two more; CPU
    /// below 20 % and errors below 1 %, one fewer.
    static final class MissionRules implements Rule {
        private static final long EVERY_MS = 60_000;
        private static final int MEAN_S = 30;

        private final Column cpu;
        private final double high;
        private final Scrape scrape;

        MissionRules(Column cpu, double high, RandomGenerator random) {
            this.cpu = cpu;
            this.high = high;
            this.scrape = new Scrape(random);
        }

        @Override
        public int want(Fleet fleet, long nowMs) {
            int asked = fleet.asked();
            int row = nowMs % EVERY_MS == 0 ? scrape.row(fleet) : -1;
            if (row < 0) {
                return asked;
            }
            Samples s = fleet.samples();
            double use = s.mean(cpu, row, MEAN_S) / Math.max(1, s.mean(Column.READY, row, MEAN_S));
            double ended = s.mean(Column.ENDED, row, 60);
            double errors = ended == 0 ? 0 : s.mean(Column.FAILED, row, 60) / ended;
            if (use > high || errors > 0.05) {
                return asked + 2;
            }
            int min = fleet.scenario().min();
            return use < Math.min(0.20, high / 2) && errors < 0.01
                    ? Math.max(min, asked - 1)
                    : Math.max(min, asked);
        }

        @Override
        public Removal removal() {
            return Removal.POD;
        }
    }

    /// Kubernetes' HorizontalPodAutoscaler: each 15 s the metric ÷ its target, 10 % tolerance, at
    /// most doubling (or four more) in 15 s, down to the largest number of the last 300 s.
    static final class Hpa implements Rule {
        private static final long EVERY_MS = 15_000;
        private static final long WINDOW_MS = 300_000;
        private static final double TOLERANCE = 0.1;

        private final Column metric;
        private final double target;
        private final long everyMs;
        private final Scrape scrape;
        private final ArrayDeque<long[]> wanted = new ArrayDeque<>();

        /// @param target of one replica
        Hpa(Column metric, double target, long everyMs, RandomGenerator random) {
            this.metric = metric;
            this.target = target;
            this.everyMs = everyMs;
            this.scrape = new Scrape(random);
        }

        static Hpa each15s(Column metric, double target, RandomGenerator random) {
            return new Hpa(metric, target, EVERY_MS, random);
        }

        @Override
        public int want(Fleet fleet, long nowMs) {
            int asked = fleet.asked();
            int row = nowMs % everyMs == 0 ? scrape.row(fleet) : -1;
            if (row < 0) {
                return asked;
            }
            double total = fleet.samples().mean(metric, row, (int) (EVERY_MS / 1000));
            int desired = desired(fleet, total, asked);
            desired = Math.clamp(desired, fleet.scenario().min(), fleet.scenario().max());
            wanted.addLast(new long[] {nowMs, desired});
            while (wanted.getFirst()[0] < nowMs - WINDOW_MS) {
                wanted.removeFirst();
            }
            if (desired >= asked) {
                return Math.min(desired, Math.max(2 * asked, asked + 4));
            }
            int most = 0;
            for (long[] w : wanted) {
                most = Math.max(most, (int) w[1]);
            }
            return Math.min(asked, most);
        }

        /// Replicas that are not ready count as idle on the way up and as busy on the way down.
        private int desired(Fleet fleet, double total, int asked) {
            if (Math.abs(total / (target * Math.max(1, asked)) - 1) <= TOLERANCE) {
                return asked;
            }
            int up = (int) Math.ceil(total / target);
            if (up >= asked) {
                return up;
            }
            boolean ofPods = metric == Column.CPU_BUSY || metric == Column.CPU_LOAD;
            int unready = ofPods ? asked - fleet.ready() : 0;
            return Math.min(asked, (int) Math.ceil((total + unready * target) / target));
        }

        @Override
        public Removal removal() {
            return Removal.POD;
        }
    }

    /// Knative's KPA: mean concurrency of 60 s ÷ target each 2 s; a mean of 6 s that asks for twice
    /// what is ready begins a panic, in which nothing goes down for 60 s.
    static final class Kpa implements Rule {
        private static final long EVERY_MS = 2_000;
        private static final int STABLE_S = 60;
        private static final int PANIC_S = 6;

        private final double target;
        private long panicUntilMs;
        private int panicMost;

        Kpa(double target) {
            this.target = target;
        }

        @Override
        public int want(Fleet fleet, long nowMs) {
            int asked = fleet.asked();
            int row = fleet.samples().rows() - 1;
            if (nowMs % EVERY_MS != 0 || fleet.blind() || row < 0) {
                return asked;
            }
            int ready = Math.max(1, fleet.ready());
            int stable = Math.max((int) Math.ceil(mean(fleet, row, STABLE_S) / target), ready / 2);
            int panic = (int) Math.ceil(mean(fleet, row, PANIC_S) / target);
            if (panic >= 2 * ready) {
                panicMost = nowMs < panicUntilMs ? panicMost : 0;
                panicUntilMs = nowMs + STABLE_S * 1000L;
            }
            int want = stable;
            if (nowMs < panicUntilMs) {
                panicMost = Math.max(panicMost, Math.max(asked, panic));
                want = panicMost;
            }
            return Math.clamp(want, fleet.scenario().min(), fleet.scenario().max());
        }

        private static double mean(Fleet fleet, int row, int seconds) {
            return fleet.samples().mean(Column.IN_FLIGHT, row, seconds)
                    + fleet.samples().mean(Column.QUEUED, row, seconds);
        }

        @Override
        public Removal removal() {
            return Removal.KNATIVE;
        }
    }
}
