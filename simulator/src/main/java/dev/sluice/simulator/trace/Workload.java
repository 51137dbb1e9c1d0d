package dev.sluice.simulator.trace;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/// Draws calls that look like those of a production service, where no trace file is at hand.
///
/// Gaps are gamma distributed with the given coefficient of variation (1 is Poisson, above it calls
/// come in bursts), over a rate that goes up and down in a sine wave; lengths are log-normal. These
/// are the shapes that the ServeGen study found in production traces. What it leaves out: that
/// calls of one client resemble each other.
///
/// @param callsPerSecond mean rate
/// @param gapCv coefficient of variation of the gaps between calls
/// @param input prompt tokens
/// @param output tokens of the answers
/// @param wavePeriod time from one peak of the rate to the next
/// @param waveDepth 0 for a constant rate; 0.8 swings between 0.2 and 1.8 of the mean
/// @param length time from the first call to the last
/// @param seed the same seed draws the same calls
public record Workload(
        double callsPerSecond,
        double gapCv,
        Lengths input,
        Lengths output,
        Duration wavePeriod,
        double waveDepth,
        Duration length,
        long seed) {

    private static final double NORMAL_P99 = 2.326;

    /// A log-normal number of tokens.
    ///
    /// @param median half are longer
    /// @param sigma standard deviation of the logarithm
    /// @param most longer ones are cut to this
    public record Lengths(double median, double sigma, int most) {

        /// The distribution with this median and 99th percentile, cut at four times that.
        public static Lengths of(double median, double p99) {
            return new Lengths(median, Math.log(p99 / median) / NORMAL_P99, (int) (4 * p99));
        }

        static Lengths fit(double[] values) {
            double sum = 0;
            double squares = 0;
            double most = 1;
            for (double value : values) {
                double log = Math.log(value);
                sum += log;
                squares += log * log;
                most = Math.max(most, value);
            }
            double mean = sum / values.length;
            double variance = Math.max(0, squares / values.length - mean * mean);
            return new Lengths(Math.exp(mean), Math.sqrt(variance), (int) most);
        }

        int draw(RandomGenerator random) {
            double tokens = median * Math.exp(sigma * random.nextGaussian());
            return Math.clamp(Math.round(tokens), 1, most);
        }
    }

    public Workload {
        if (!(callsPerSecond > 0) || !(gapCv > 0) || waveDepth < 0 || waveDepth >= 1) {
            throw new IllegalArgumentException(
                    "a workload needs a rate and a variation above 0, and a wave depth of 0 to"
                            + " below 1");
        }
    }

    /// A workload with the rate, the burstiness and the lengths of a trace, without its daily wave.
    public static Workload like(List<TraceCall> trace, long seed) {
        double seconds = trace.getLast().arrival().toNanos() / 1e9;
        double mean = 0;
        double squares = 0;
        for (int i = 1; i < trace.size(); i++) {
            double gap = trace.get(i).arrival().minus(trace.get(i - 1).arrival()).toNanos() / 1e9;
            mean += gap / (trace.size() - 1);
            squares += gap * gap / (trace.size() - 1);
        }
        if (!(mean > 0)) {
            throw new IllegalArgumentException("a trace of one moment has no rate to learn");
        }
        return new Workload(
                1 / mean,
                Math.max(0.1, Math.sqrt(Math.max(0, squares - mean * mean)) / mean),
                Lengths.fit(trace.stream().mapToDouble(TraceCall::inputTokens).toArray()),
                Lengths.fit(trace.stream().mapToDouble(TraceCall::outputTokens).toArray()),
                Duration.ofDays(1),
                0,
                Duration.ofNanos(Math.round(seconds * 1e9)),
                seed);
    }

    /// The calls in the order of their arrival.
    public List<TraceCall> calls() {
        var random = new SplittableRandom(seed);
        var out = new ArrayList<TraceCall>();
        double shape = 1 / (gapCv * gapCv);
        double seconds = 0;
        double end = length.toNanos() / 1e9;
        while (true) {
            seconds += gamma(shape, random) / shape / rate(seconds);
            if (seconds > end) {
                return out;
            }
            out.add(
                    new TraceCall(
                            Duration.ofNanos(Math.round(seconds * 1e9)),
                            input.draw(random),
                            output.draw(random),
                            null,
                            List.of()));
        }
    }

    /// The wave starts in its valley, so that a run first sees the load rise.
    private double rate(double seconds) {
        double turns = seconds / (wavePeriod.toNanos() / 1e9);
        return callsPerSecond * (1 - waveDepth * Math.cos(2 * Math.PI * turns));
    }

    /// A gamma variate of mean `shape`, after Marsaglia and Tsang, "A simple method for generating
    /// gamma variables" (2000); shapes below 1 by their boost.
    private static double gamma(double shape, RandomGenerator random) {
        if (shape < 1) {
            return gamma(shape + 1, random) * Math.pow(1 - random.nextDouble(), 1 / shape);
        }
        double d = shape - 1.0 / 3;
        double c = 1 / Math.sqrt(9 * d);
        while (true) {
            double x = random.nextGaussian();
            double v = Math.pow(1 + c * x, 3);
            if (v > 0
                    && Math.log(1 - random.nextDouble())
                            < 0.5 * x * x + d - d * v + d * Math.log(v)) {
                return d * v;
            }
        }
    }
}
