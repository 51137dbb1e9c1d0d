package dev.sluice.simulator.server;

/// A Prometheus histogram with fixed bounds, for one thread.
final class Histogram {
    private final double[] bounds;
    private final long[] counts;
    private double sum;

    Histogram(double... bounds) {
        this.bounds = bounds;
        this.counts = new long[bounds.length + 1];
    }

    void record(double value) {
        int i = 0;
        while (i < bounds.length && value > bounds[i]) {
            i++;
        }
        counts[i]++;
        sum += value;
    }

    /// Appends the samples of a metric whose labels are `labels`.
    void write(StringBuilder out, String name, String labels) {
        long total = 0;
        for (int i = 0; i < counts.length; i++) {
            total += counts[i];
            String bound = i < bounds.length ? Double.toString(bounds[i]) : "+Inf";
            out.append(name).append("_bucket{").append(labels).append(",le=\"").append(bound);
            out.append("\"} ").append((double) total).append('\n');
        }
        out.append(name).append("_count{").append(labels).append("} ").append((double) total);
        out.append('\n');
        out.append(name).append("_sum{").append(labels).append("} ").append(sum).append('\n');
    }
}
