package dev.sluice.simulator.evaluation;

import dev.sluice.simulator.replica.ReplicaModel;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// What a trace is run against.
///
/// @param model every replica
/// @param min fewest replicas; 0 lets a rule go to none
/// @param max most replicas
/// @param begin replicas that are ready when the run begins, the same for every rule that moves
/// @param coldStart from asked for to ready
/// @param crashEvery mean time between crashes of one ready replica; zero for none
/// @param blindAt from here the proxies' reports and scraped metrics are missing
/// @param blindFor for this long; zero for never
public record Scenario(
        ReplicaModel model,
        int min,
        int max,
        int begin,
        ColdStart coldStart,
        Duration crashEvery,
        Duration blindAt,
        Duration blindFor) {

    /// A log-normal time, cut at both ends.
    public record ColdStart(Duration median, double sigma, Duration least, Duration most) {
        /// Model load of one to three minutes.
        public static final ColdStart USUAL =
                new ColdStart(
                        Duration.ofSeconds(75),
                        0.35,
                        Duration.ofSeconds(30),
                        Duration.ofMinutes(3));

        /// Always the same.
        public static ColdStart of(Duration always) {
            return new ColdStart(always, 0, always, always);
        }

        double drawMs(RandomGenerator random) {
            double ms = median.toMillis() * Math.exp(sigma * random.nextGaussian());
            return Math.clamp(ms, (double) least.toMillis(), (double) most.toMillis());
        }
    }

    public Scenario {
        if (min < 0 || max < 1 || min > max) {
            throw new IllegalArgumentException(
                    "min " + min + " and max " + max + ": write 0 <= min <= max, and max above 0");
        }
        if (begin < min || begin > max) {
            throw new IllegalArgumentException(
                    "begin " + begin + ": write min (" + min + ") to max (" + max + ")");
        }
    }

    /// Begins with min.
    public static Scenario of(ReplicaModel model, int min, int max) {
        return new Scenario(
                model,
                min,
                max,
                min,
                ColdStart.USUAL,
                Duration.ofDays(2),
                Duration.ZERO,
                Duration.ZERO);
    }

    public Scenario beginningWith(int ready) {
        return new Scenario(model, min, max, ready, coldStart, crashEvery, blindAt, blindFor);
    }

    public Scenario withColdStart(ColdStart other) {
        return new Scenario(model, min, max, begin, other, crashEvery, blindAt, blindFor);
    }

    public Scenario withoutCrashes() {
        return new Scenario(model, min, max, begin, coldStart, Duration.ZERO, blindAt, blindFor);
    }

    public Scenario blind(Duration at, Duration time) {
        return new Scenario(model, min, max, begin, coldStart, crashEvery, at, time);
    }

    boolean blind(double nowMs) {
        double since = nowMs - blindAt.toMillis();
        return since >= 0 && since < blindFor.toMillis();
    }

    /// Time to the first token of a lone call.
    double prefillMs(int prompt) {
        return model.overhead().toNanos() / 1e6 + prompt * 1000 / model.prefillTokensPerSecond();
    }

    /// Time per token in a full batch.
    double fullItlMs() {
        return model.itlBase().toNanos() / 1e6
                + model.slots() * (model.itlPerSequence().toNanos() / 1e6);
    }
}
