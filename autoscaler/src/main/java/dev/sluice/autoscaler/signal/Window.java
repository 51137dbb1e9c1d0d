package dev.sluice.autoscaler.signal;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/// The observations of the last minutes, oldest first; never empty once one was added.
public record Window(List<Observation> observations) {
    public static final Window EMPTY = new Window(List.of());

    /// This window with one more observation and without those older than `keepMs`.
    public Window add(Observation next, long keepMs) {
        List<Observation> kept = since(next.timeMs() - keepMs);
        var all = new ArrayList<Observation>(kept.size() + 1);
        all.addAll(kept);
        all.add(next);
        return new Window(Collections.unmodifiableList(all));
    }

    public Observation latest() {
        return observations.getLast();
    }

    /// The newest load; null when the newest observation has none.
    public Observation.@Nullable Load load() {
        return latest().load();
    }

    /// Those since then, oldest first.
    public List<Observation> since(long timeMs) {
        int first = observations.size();
        while (first > 0 && observations.get(first - 1).timeMs() >= timeMs) {
            first--;
        }
        return observations.subList(first, observations.size());
    }

    /// The mean over the observations since then that have a load; null without any.
    public @Nullable Double meanLoad(long sinceMs, ToDoubleFunction<Observation.Load> what) {
        double sum = 0;
        int n = 0;
        for (Observation o : since(sinceMs)) {
            if (o.load() != null) {
                sum += what.applyAsDouble(o.load());
                n++;
            }
        }
        return n == 0 ? null : sum / n;
    }

    /// What it was at most in this share of the observations since then that have a load; null
    /// without any.
    public @Nullable Double quantileLoad(
            long sinceMs, double share, ToDoubleFunction<Observation.Load> what) {
        double[] sorted =
                since(sinceMs).stream()
                        .map(Observation::load)
                        .filter(Objects::nonNull)
                        .mapToDouble(what)
                        .sorted()
                        .toArray();
        return sorted.length == 0
                ? null
                : Double.valueOf(sorted[(int) Math.ceil(share * sorted.length) - 1]);
    }

    /// The sum over the observations since then that have a load.
    public double sumLoad(long sinceMs, ToDoubleFunction<Observation.Load> what) {
        double sum = 0;
        for (Observation o : since(sinceMs)) {
            if (o.load() != null) {
                sum += what.applyAsDouble(o.load());
            }
        }
        return sum;
    }

    /// When the pool last had work; null when the window never saw any.
    public @Nullable Long lastBusyMs() {
        for (Observation o : observations.reversed()) {
            if (o.load() != null && o.load().busy()) {
                return o.timeMs();
            }
        }
        return null;
    }
}
