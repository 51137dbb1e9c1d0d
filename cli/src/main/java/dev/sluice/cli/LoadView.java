package dev.sluice.cli;

import dev.sluice.shared.LoadReport;
import dev.sluice.shared.LoadReport.EndpointLoad;
import dev.sluice.shared.LoadReport.PoolLoad;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A load report as text: one table for each pool. What is not known shows as `-`, never as 0.
final class LoadView {
    private LoadView() {}

    static List<String> lines(LoadReport report) {
        var out = new ArrayList<String>();
        if (!report.ready()) {
            out.add("This proxy is draining.");
        }
        for (PoolLoad pool : report.pools()) {
            out.add(heading(pool));
            out.addAll(endpoints(pool, report.timeMs()));
        }
        return out;
    }

    static String heading(PoolLoad pool) {
        return "pool "
                + pool.pool()
                + "  in flight "
                + pool.inFlight()
                + "  queued "
                + pool.queued()
                + "  done "
                + pool.completedTotal()
                + "  failed "
                + pool.failedTotal()
                + "  shed "
                + pool.saturatedTotal()
                + "  cancelled "
                + pool.cancelledTotal()
                + "  TTFT p95 "
                + (pool.ttftP95Ms() == null ? "-" : Math.round(pool.ttftP95Ms()) + " ms");
    }

    static List<String> endpoints(PoolLoad pool, long nowMs) {
        var table =
                new Table(
                        "endpoint",
                        "<state",
                        "in flight",
                        "waiting",
                        "KV",
                        "attempts",
                        "failures",
                        "ms/token",
                        "<why");
        for (EndpointLoad e : pool.endpoints()) {
            table.row(
                    e.id(),
                    e.state(),
                    e.inFlight() + (e.cap() == null ? "" : "/" + e.cap()),
                    whole(e.waiting()),
                    e.kvUsage() == null ? "-" : Math.round(e.kvUsage() * 100) + " %",
                    e.attemptsTotal(),
                    e.failuresTotal(),
                    e.timePerTokenMs() == null
                            ? "-"
                            : String.format(Locale.ROOT, "%.1f", e.timePerTokenMs()),
                    e.reason() + ", " + age(nowMs - e.stateSinceMs()));
        }
        return table.lines();
    }

    private static String whole(@Nullable Double value) {
        return value == null ? "-" : String.valueOf(Math.round(value));
    }

    private static String age(long millis) {
        long s = Math.max(0, millis / 1000);
        return s < 120 ? s + " s" : s < 7200 ? s / 60 + " min" : s / 3600 + " h";
    }
}
