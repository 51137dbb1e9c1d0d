package dev.sluice.cli;

import dev.sluice.shared.LoadReport;
import dev.sluice.shared.LoadReport.EndpointLoad;
import dev.sluice.shared.LoadReport.PoolLoad;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/// A load report as text: one table for each pool. What is not known shows as `-`, never as 0.
final class LoadView {
    /// Twice the usual time between two looks at an engine.
    private static final long OLD_MS = 5_000;

    private LoadView() {}

    /// What endpoints are sorted by. Unknown figures come last, either way round.
    enum Column {
        ENDPOINT("endpoint", false),
        STATE("state", false),
        IN_FLIGHT("in-flight", true),
        WAITING("waiting", true),
        KV("kv", true),
        FAILURES("failures", true);

        private final String label;
        private final boolean figure;

        Column(String label, boolean figure) {
            this.label = label;
            this.figure = figure;
        }

        private Comparator<EndpointLoad> order() {
            return switch (this) {
                case ENDPOINT -> Comparator.comparing(EndpointLoad::id);
                case STATE -> Comparator.comparing(EndpointLoad::state);
                case IN_FLIGHT -> Comparator.comparingInt(EndpointLoad::inFlight);
                case WAITING -> Comparator.comparingDouble(e -> known(e.waiting()));
                case KV -> Comparator.comparingDouble(e -> known(e.kvUsage()));
                case FAILURES -> Comparator.comparingLong(EndpointLoad::failuresTotal);
            };
        }

        private boolean knows(EndpointLoad e) {
            return switch (this) {
                case WAITING -> e.waiting() != null;
                case KV -> e.kvUsage() != null;
                case ENDPOINT, STATE, IN_FLIGHT, FAILURES -> true;
            };
        }

        private static double known(@Nullable Double value) {
            return value == null ? 0 : value;
        }
    }

    /// The names that `--sort` takes.
    static final class Columns extends ArrayList<String> {
        private static final long serialVersionUID = 1L;

        Columns() {
            super(Arrays.stream(Column.values()).map(c -> c.label).toList());
        }
    }

    /// @param down whether the largest comes first
    record Order(Column column, boolean down) {
        static final Order USUAL = new Order(Column.ENDPOINT, false);

        /// Figures begin with the largest. Null for a name that is none.
        static @Nullable Order by(String label) {
            for (Column column : Column.values()) {
                if (column.label.equals(label)) {
                    return of(column);
                }
            }
            return null;
        }

        private static Order of(Column column) {
            return new Order(column, column.figure);
        }

        Order next() {
            List<Column> all = List.of(Column.values());
            return of(all.get((all.indexOf(column) + 1) % all.size()));
        }

        Order turned() {
            return new Order(column, !down);
        }

        String shown() {
            return column.label + (down ? ", largest first" : "");
        }

        List<EndpointLoad> sorted(List<EndpointLoad> endpoints) {
            Comparator<EndpointLoad> by = down ? column.order().reversed() : column.order();
            return endpoints.stream()
                    .sorted(
                            Comparator.comparing((EndpointLoad e) -> !column.knows(e))
                                    .thenComparing(by)
                                    .thenComparing(EndpointLoad::id))
                    .toList();
        }
    }

    static List<String> lines(LoadReport report) {
        return lines(report, Order.USUAL);
    }

    static List<String> lines(LoadReport report, Order order) {
        var out = new ArrayList<String>();
        if (!report.ready()) {
            out.add("This proxy is draining.");
        }
        for (PoolLoad pool : report.pools()) {
            out.add(heading(pool));
            out.addAll(endpoints(pool, order, report.timeMs()));
        }
        return out;
    }

    static String heading(PoolLoad pool) {
        return "pool "
                + pool.pool()
                + "  in flight "
                + pool.inFlight()
                + (pool.slots() == null ? "" : "/" + pool.slots())
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
        return endpoints(pool, Order.USUAL, nowMs);
    }

    private static List<String> endpoints(PoolLoad pool, Order order, long nowMs) {
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
        for (EndpointLoad e : order.sorted(pool.endpoints())) {
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
                    e.reason() + ", " + age(nowMs - e.stateSinceMs()) + engine(e.engineAgeMs()));
        }
        return table.lines();
    }

    /// Says so when the engine's own figures are old.
    private static String engine(@Nullable Long ageMs) {
        return ageMs == null || ageMs < OLD_MS
                ? ""
                : "; waiting and KV read " + age(ageMs) + " ago";
    }

    private static String whole(@Nullable Double value) {
        return value == null ? "-" : String.valueOf(Math.round(value));
    }

    private static String age(long millis) {
        long s = Math.max(0, millis / 1000);
        return s < 120 ? s + " s" : s < 7200 ? s / 60 + " min" : s / 3600 + " h";
    }
}
