package dev.sluice.proxy.accounting;

import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/// A histogram with fixed buckets that any thread adds to: one adder per bucket and one for the
/// sum, so that event loops do not wait for each other. Values are whole numbers of a small unit
/// (nanoseconds, tokens); a scrape divides them into the base unit.
final class Buckets {
    /// Which buckets, and what divides a value into the base unit.
    static final class Scale {
        /// Upper and inclusive, in the base unit, rising.
        private final double[] bounds;

        private final long[] limits;
        private final double perBase;

        private Scale(double perBase, double[] bounds) {
            this.bounds = bounds;
            this.limits = Arrays.stream(bounds).mapToLong(b -> Math.round(b * perBase)).toArray();
            this.perBase = perBase;
        }

        static Scale seconds(double... bounds) {
            return new Scale(1e9, bounds);
        }

        static Scale ones(double... bounds) {
            return new Scale(1, bounds);
        }

        long[] limits() {
            return limits;
        }
    }

    private final Scale scale;
    private final LongAdder[] counts;
    private final LongAdder sum = new LongAdder();

    Buckets(Scale scale) {
        this.scale = scale;
        this.counts = new LongAdder[scale.limits.length + 1];
        Arrays.setAll(counts, i -> new LongAdder());
    }

    void add(long value) {
        long[] limits = scale.limits;
        int low = 0;
        int high = limits.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (limits[middle] < value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        counts[low].increment();
        sum.add(value);
    }

    /// Counts by bucket, the last one for all above; not cumulative.
    long[] counts() {
        return Arrays.stream(counts).mapToLong(LongAdder::sum).toArray();
    }

    HistogramDataPointSnapshot point(Labels labels) {
        List<Double> bounds = new ArrayList<>();
        List<Number> values = new ArrayList<>();
        for (int i = 0; i < counts.length; i++) {
            bounds.add(i < scale.bounds.length ? scale.bounds[i] : Double.POSITIVE_INFINITY);
            values.add(counts[i].sum());
        }
        return HistogramDataPointSnapshot.builder()
                .classicHistogramBuckets(ClassicHistogramBuckets.of(bounds, values))
                .sum(sum.sum() / scale.perBase)
                .labels(labels)
                .build();
    }

    /// The quantile of some counts of this scale, interpolated within its bucket; null without any.
    /// What lies above the last bound counts as that bound.
    static @Nullable Double quantile(Scale scale, long[] counts, double q) {
        long total = Arrays.stream(counts).sum();
        if (total == 0) {
            return null;
        }
        double rank = q * total;
        double below = 0;
        double[] bounds = scale.bounds;
        for (int i = 0; i < bounds.length; i++) {
            if (below + counts[i] >= rank && counts[i] > 0) {
                double from = i == 0 ? 0 : bounds[i - 1];
                return from + (bounds[i] - from) * (rank - below) / counts[i];
            }
            below += counts[i];
        }
        return bounds[bounds.length - 1];
    }
}
