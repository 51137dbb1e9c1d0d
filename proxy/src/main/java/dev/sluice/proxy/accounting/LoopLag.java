package dev.sluice.proxy.accounting;

import dev.sluice.shared.MetricNames;

import io.netty.channel.EventLoop;
import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/// How late event loops are: a timer in each, ten times a second, and how long after its due time
/// it ran. That is what a call's bytes waited too. A stall shorter than a tenth of a second may
/// fall between two looks; over minutes the share of late looks is the share of late time.
final class LoopLag implements Collector {
    private static final long EVERY = TimeUnit.MILLISECONDS.toNanos(100);
    private static final Buckets.Scale SCALE =
            Buckets.Scale.seconds(
                    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1,
                    5);

    private final List<Buckets> loops = new CopyOnWriteArrayList<>();

    /// Counts at the last look, in the order of `loops`; of the looking thread only.
    private final List<long[]> before = new ArrayList<>();

    private volatile @Nullable Double lately;

    /// Begins to measure a loop.
    void watch(EventLoop loop) {
        var lag = new Buckets(SCALE);
        loops.add(lag);
        schedule(loop, lag, System.nanoTime() + EVERY);
    }

    /// Looks at what came since the last look; always the same thread.
    void look() {
        Double worst = null;
        for (int i = 0; i < loops.size(); i++) {
            long[] now = loops.get(i).counts();
            if (i == before.size()) {
                before.add(new long[now.length]);
            }
            long[] between = now.clone();
            for (int j = 0; j < between.length; j++) {
                between[j] -= before.get(i)[j];
            }
            before.set(i, now);
            Double late = Buckets.quantile(SCALE, between, 1);
            worst = late == null || (worst != null && worst > late) ? worst : late;
        }
        lately = worst;
    }

    /// How late the latest of all loops was between the last two looks, in seconds, to its bucket;
    /// null before the first.
    @Nullable Double lately() {
        return lately;
    }

    private static void schedule(EventLoop loop, Buckets lag, long due) {
        var _ =
                loop.schedule(
                        () -> {
                            long now = System.nanoTime();
                            lag.add(Math.max(0, now - due));
                            schedule(loop, lag, now + EVERY);
                        },
                        due - System.nanoTime(),
                        TimeUnit.NANOSECONDS);
    }

    @Override
    public MetricSnapshot collect() {
        var out =
                HistogramSnapshot.builder()
                        .name(MetricNames.EVENT_LOOP_LAG)
                        .help("How late an event loop ran what was due");
        for (int i = 0; i < loops.size(); i++) {
            out.dataPoint(loops.get(i).point(Labels.of(MetricNames.LOOP, String.valueOf(i))));
        }
        return out.build();
    }
}
