package dev.sluice.autoscaler.signal;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/// The observations of the last minutes, oldest first; never empty once one was added.
public record Window(List<Observation> observations) {
    public static final Window EMPTY = new Window(List.of());

    /// This window with one more observation and without those older than `keepMs`.
    public Window add(Observation next, long keepMs) {
        var kept = new ArrayList<Observation>(observations.size() + 1);
        for (Observation o : observations) {
            if (next.timeMs() - o.timeMs() <= keepMs) {
                kept.add(o);
            }
        }
        kept.add(next);
        return new Window(List.copyOf(kept));
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
        return observations.stream().filter(o -> o.timeMs() >= timeMs).toList();
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
