package dev.sluice.autoscaler.decision;

import dev.sluice.autoscaler.signal.Observation;
import dev.sluice.autoscaler.signal.Observation.EndpointSample;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.autoscaler.signal.Replicas.Replica;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/// Learns how many calls one replica can serve at once within its objective.
///
/// With n sequences in its batch an engine needs `a + b·n` per output token: `a` to read the
/// weights, `b` for each sequence (continuous batching, Orca, OSDI 2022; vLLM, SOSP 2023). `a` and
/// `b` come from a least-squares line through pairs of batch size and time per token, older ones
/// fading with a half-life of {@link #HALF_LIFE_MS}. The answer is the largest n with `a + b·n ≤
/// objective · (a + b)`: a call among n others is at most `objective` times slower than one alone.
/// Three bounds keep it honest: never more than {@link #OF_CAP} of what proxies may send to an
/// endpoint, since calls arrive in bunches; never beyond {@link #STRETCH} times the largest batch
/// ever measured, since the line is only known up to there; at least 1.
///
/// Where it fails: time per token is of streams that just ended, so it lags behind the batch
/// (samples are only taken while the batch is steady); a pool of unlike machines gets one line
/// through the middle; long prompts slow decoding without raising n and are read as a larger `a`;
/// before calls of four different batch sizes were seen there is no line, and the seed stands in.
///
/// One thread.
public final class SlotModel {
    private static final double HALF_LIFE_MS = 30 * 60_000.0;
    private static final double OF_CAP = 0.8;
    private static final double STRETCH = 1.5;
    private static final int ENOUGH_SAMPLES = 20;
    private static final int ENOUGH_SIZES = 4;

    private final Spec.LoadDriver spec;
    private final Set<Long> sizes = new HashSet<>();
    private final Map<String, Double> lastBatch = new HashMap<>();
    private double w;
    private double x;
    private double y;
    private double xx;
    private double xy;
    private long samples;
    private double largest;
    private long lastMs;
    private @Nullable Integer cap;

    public SlotModel(Spec.LoadDriver spec) {
        this.spec = spec;
    }

    /// Takes in what the ready replicas that are old enough show.
    public void learn(Observation seen, Replicas replicas) {
        if (seen.load() == null) {
            return;
        }
        fade(seen.timeMs());
        cap = null;
        for (EndpointSample e : seen.load().endpoints()) {
            if (e.cap() != null) {
                cap = cap == null ? e.cap() : Math.min(cap, e.cap());
            }
            Double before = lastBatch.put(e.id(), e.batch());
            boolean steady = before != null && Math.abs(e.batch() - before) <= 1 + e.batch() / 4;
            if (steady
                    && e.timePerTokenMs() != null
                    && e.batch() >= 1
                    && old(e.id(), replicas, seen)) {
                add(e.batch(), e.timePerTokenMs());
            }
        }
    }

    /// Calls per replica: configured, else learned, else a share of the cap, else the seed.
    public double slots() {
        if (spec.slotsPerReplica() != null) {
            return spec.slotsPerReplica();
        }
        double bound = cap == null ? Double.MAX_VALUE : Math.max(1, OF_CAP * cap);
        Double learned = learned();
        if (learned == null) {
            return cap == null ? spec.seed() : bound;
        }
        return Math.max(1, Math.min(bound, learned));
    }

    private @Nullable Double learned() {
        double spread = w * xx - x * x;
        if (samples < ENOUGH_SAMPLES || sizes.size() < ENOUGH_SIZES || spread <= 1e-9) {
            return null;
        }
        double known = STRETCH * largest;
        double b = (w * xy - x * y) / spread;
        double a = (y - b * x) / w;
        if (b <= 0 || a < 0) {
            return known; // batch size costs nothing as far as was seen
        }
        return Math.min(known, (spec.objective() * (a + b) - a) / b);
    }

    private void add(double n, double perToken) {
        w += 1;
        x += n;
        y += perToken;
        xx += n * n;
        xy += n * perToken;
        samples++;
        sizes.add(Math.round(n));
        largest = Math.max(largest, n);
    }

    private void fade(long nowMs) {
        double keep = lastMs == 0 ? 1 : Math.pow(0.5, (nowMs - lastMs) / HALF_LIFE_MS);
        lastMs = nowMs;
        w *= keep;
        x *= keep;
        y *= keep;
        xx *= keep;
        xy *= keep;
    }

    private boolean old(String id, Replicas replicas, Observation seen) {
        for (Replica r : replicas.in(Replicas.State.READY)) {
            if (r.id().equals(id)) {
                return seen.timeMs() - r.sinceMs() >= spec.warmUp().toMillis();
            }
        }
        return false;
    }
}
