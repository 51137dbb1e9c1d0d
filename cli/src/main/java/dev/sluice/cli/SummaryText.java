package dev.sluice.cli;

import dev.sluice.simulator.replay.ReplaySummary;
import dev.sluice.simulator.replay.ReplaySummary.Quantiles;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What became of a replay, for people.
final class SummaryText {
    private SummaryText() {}

    static List<String> lines(ReplaySummary summary) {
        var out = new ArrayList<String>();
        out.add(
                String.format(
                        Locale.ROOT,
                        "%d calls in %.1f s: %d ok, %d failed, %d shed, %d cancelled; %d tokens"
                                + " out",
                        summary.calls(),
                        summary.seconds(),
                        summary.ok(),
                        summary.failed(),
                        summary.shed(),
                        summary.cancelled(),
                        summary.outputTokens()));
        out.add("");
        out.addAll(latencies(summary));
        out.add("");
        out.addAll(shares(summary));
        if (!summary.failures().isEmpty()) {
            out.add("");
            var failures = new Table("failure", "calls", "<first of them");
            summary.failures()
                    .forEach((kind, f) -> failures.row(kind, f.count(), oneLine(f.example())));
            out.addAll(failures.lines());
        }
        return out;
    }

    /// Each counts from the moment that the call was due, so a late client shows too.
    private static List<String> latencies(ReplaySummary summary) {
        var table = new Table("ms", "p50", "p95", "p99", "max");
        row(table, "first token", summary.ttftMillis());
        row(table, "between tokens", summary.itlMillis());
        row(table, "whole call", summary.e2eMillis());
        row(table, "this client's lag", summary.lagMillis());
        return table.lines();
    }

    private static List<String> shares(ReplaySummary summary) {
        var table = new Table("endpoint", "calls", "share");
        long all = summary.endpoints().values().stream().mapToLong(n -> n).sum();
        summary.endpoints()
                .forEach(
                        (url, n) ->
                                table.row(
                                        url,
                                        n,
                                        String.format(Locale.ROOT, "%.1f %%", 100.0 * n / all)));
        return table.lines();
    }

    private static void row(Table table, String name, @Nullable Quantiles q) {
        if (q == null) {
            table.row(name, "-", "-", "-", "-");
        } else {
            table.row(name, ms(q.p50()), ms(q.p95()), ms(q.p99()), ms(q.max()));
        }
    }

    private static String ms(double millis) {
        return String.format(Locale.ROOT, millis < 100 ? "%.1f" : "%.0f", millis);
    }

    private static String oneLine(String text) {
        String line = text.lines().findFirst().orElse("");
        return line.length() > 100 ? line.substring(0, 100) + "…" : line;
    }
}
