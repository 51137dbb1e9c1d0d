package dev.sluice.proxy.accounting;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.response.Outcome;
import dev.sluice.shared.MetricNames;

import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/// Publishes {@link CallMeters} under {@link MetricNames}, at each scrape.
public final class CallCollector implements MultiCollector {
    private final CallMeters meters;
    private final Supplier<List<PoolView>> known;

    /// @param known the pools of now: their counters stand at 0 before their first call, so that
    ///   the first failure is seen as an increase
    public CallCollector(CallMeters meters, Supplier<List<PoolView>> known) {
        this.meters = meters;
        this.known = known;
    }

    @Override
    public MetricSnapshots collect() {
        known.get().forEach(view -> meters.pool(view.pool().name()));
        var out = new ArrayList<MetricSnapshot>();
        calls(out);
        pools(out);
        exchanges(out);
        return new MetricSnapshots(out);
    }

    private void calls(List<MetricSnapshot> out) {
        var duration =
                histogram(
                        MetricNames.REQUEST_DURATION,
                        "Time from the decoded head to the last byte");
        var ttft =
                histogram(
                        MetricNames.TIME_TO_FIRST_TOKEN,
                        "Time from the decoded request to the first content byte");
        var perToken =
                histogram(
                        MetricNames.TIME_PER_OUTPUT_TOKEN,
                        "Mean time between the output tokens of a stream");
        var tokens = histogram(MetricNames.TOKEN_USAGE, "Tokens of a call, reported or estimated");
        for (var pool : meters.pools.entrySet()) {
            for (var model : pool.getValue().models.entrySet()) {
                for (var api : model.getValue().entrySet()) {
                    ModelMeters one = api.getValue();
                    Labels labels =
                            Labels.of(MetricNames.POOL, pool.getKey())
                                    .add(MetricNames.MODEL, model.getKey())
                                    .add(MetricNames.OPERATION, word(api.getKey()));
                    one.duration.forEach(
                            (code, took) ->
                                    duration.dataPoint(
                                            took.point(
                                                    labels.add(
                                                            MetricNames.CODE_CLASS,
                                                            code.label()))));
                    ttft.dataPoint(one.ttft.point(labels));
                    perToken.dataPoint(one.perToken.point(labels));
                    tokens.dataPoint(one.input.point(labels.add(MetricNames.TOKEN_TYPE, "input")));
                    tokens.dataPoint(
                            one.output.point(labels.add(MetricNames.TOKEN_TYPE, "output")));
                }
            }
        }
        out.add(duration.build());
        out.add(ttft.build());
        out.add(perToken.build());
        out.add(tokens.build());
    }

    private void pools(List<MetricSnapshot> out) {
        var requests = counter(MetricNames.REQUESTS, "Calls, by how they ended");
        var refusals =
                counter(
                        MetricNames.REFUSALS,
                        "Calls that Sluice answered with an error of its own");
        var overhead =
                histogram(
                        MetricNames.OVERHEAD,
                        "The proxy's own share of the time to the first byte");
        var wait = histogram(MetricNames.QUEUE_WAIT, "Wait for a slot");
        meters.pools.forEach(
                (pool, counts) -> {
                    Labels labels = Labels.of(MetricNames.POOL, pool);
                    counts.requests.forEach(
                            (code, n) ->
                                    count(
                                            requests,
                                            labels.add(MetricNames.CODE_CLASS, code.label()),
                                            n));
                    counts.refusals.forEach(
                            (code, n) -> count(refusals, labels.add(MetricNames.CODE, code), n));
                    overhead.dataPoint(counts.overhead.point(labels));
                    wait.dataPoint(counts.queueWait.point(labels));
                });
        out.add(requests.build());
        out.add(refusals.build());
        out.add(overhead.build());
        out.add(wait.build());
    }

    private void exchanges(List<MetricSnapshot> out) {
        var picks = counter(MetricNames.PICKS, "Picks of an endpoint, by policy and what decided");
        for (CallMeters.Picks one : meters.picks) {
            count(
                    picks,
                    Labels.of(MetricNames.POLICY, one.policy(), MetricNames.REASON, one.reason()),
                    one.count());
        }
        var attempts = counter(MetricNames.ATTEMPTS, "Exchanges with endpoints, by how they ended");
        for (AttemptResult result : AttemptResult.values()) {
            attempts.dataPoint(
                    point(Labels.of(MetricNames.OUTCOME, word(result)), meters.attempts(result)));
        }
        var cancelled = counter(MetricNames.CANCELLED, "Calls that the client left, by phase");
        for (Outcome.Phase phase : Outcome.Phase.values()) {
            cancelled.dataPoint(
                    point(Labels.of(MetricNames.PHASE, word(phase)), meters.cancelled(phase)));
        }
        out.add(picks.build());
        out.add(attempts.build());
        out.add(cancelled.build());
    }

    private static HistogramSnapshot.Builder histogram(String name, String help) {
        return HistogramSnapshot.builder().name(name).help(help);
    }

    /// The library adds `_total` itself.
    private static CounterSnapshot.Builder counter(String name, String help) {
        return CounterSnapshot.builder()
                .name(name.substring(0, name.length() - "_total".length()))
                .help(help);
    }

    private static void count(CounterSnapshot.Builder to, Labels labels, LongAdder n) {
        to.dataPoint(point(labels, n.sum()));
    }

    private static CounterSnapshot.CounterDataPointSnapshot point(Labels labels, long n) {
        return CounterSnapshot.CounterDataPointSnapshot.builder()
                .labels(labels)
                .value((double) n)
                .build();
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
