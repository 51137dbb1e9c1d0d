package dev.sluice.simulator.replay;

import org.HdrHistogram.Histogram;

import java.util.Map;
import java.util.TreeMap;

/// Counts and times of a running replay. One thread.
final class Tally {
    private static final int DIGITS = 3;

    private final Histogram ttft = new Histogram(DIGITS);
    private final Histogram itl = new Histogram(DIGITS);
    private final Histogram e2e = new Histogram(DIGITS);
    private final Histogram lag = new Histogram(DIGITS);
    private final Map<String, Long> endpoints = new TreeMap<>();
    private final Map<String, ReplaySummary.Failure> failures = new TreeMap<>();
    private long begun;
    private long ok;
    private long failed;
    private long shed;
    private long cancelled;
    private long promptTokens;
    private long cachedTokens;
    private long outputTokens;
    private long peakInFlight;

    void begun() {
        begun++;
        peakInFlight = Math.max(peakInFlight, inFlight());
    }

    void sent(long lagNanos) {
        lag.recordValue(micros(lagNanos));
    }

    void answeredBy(String endpoint) {
        endpoints.merge(endpoint, 1L, Long::sum);
    }

    void firstToken(long ttftNanos) {
        ttft.recordValue(micros(ttftNanos));
    }

    void gap(long nanos) {
        itl.recordValue(micros(nanos));
    }

    void usage(long prompt, long cached, long output) {
        promptTokens += prompt;
        cachedTokens += cached;
        outputTokens += output;
    }

    void ok(long e2eNanos) {
        ok++;
        e2e.recordValue(micros(e2eNanos));
    }

    void shed() {
        shed++;
    }

    void cancelled() {
        cancelled++;
    }

    void failed(String kind, String example) {
        failed++;
        failures.merge(
                kind,
                new ReplaySummary.Failure(1, example),
                (old, one) -> new ReplaySummary.Failure(old.count() + 1, old.example()));
    }

    long ended() {
        return ok + failed + shed + cancelled;
    }

    long inFlight() {
        return begun - ended();
    }

    ReplayListener.Progress progress(long total) {
        return new ReplayListener.Progress(total, begun, inFlight(), ok, failed, shed, cancelled);
    }

    ReplaySummary summary(long nanos) {
        return new ReplaySummary(
                begun,
                ok,
                failed,
                shed,
                cancelled,
                ReplaySummary.Quantiles.of(ttft),
                ReplaySummary.Quantiles.of(itl),
                ReplaySummary.Quantiles.of(e2e),
                ReplaySummary.Quantiles.of(lag),
                Map.copyOf(endpoints),
                Map.copyOf(failures),
                promptTokens,
                cachedTokens,
                outputTokens,
                peakInFlight,
                nanos / 1e9);
    }

    private static long micros(long nanos) {
        return Math.max(0, nanos / 1_000);
    }
}
