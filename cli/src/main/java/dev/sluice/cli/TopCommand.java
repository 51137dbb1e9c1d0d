package dev.sluice.cli;

import dev.sluice.shared.AdminJson;
import dev.sluice.shared.LoadReport;
import dev.sluice.shared.Units;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.LongSupplier;

/// `top`: a proxy's pools and endpoints, live in a terminal; as lines or JSON elsewhere.
@Command(
        name = "top",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        header = "Watches a proxy: pools, endpoints, load, states and why.",
        description = {
            "",
            "On a terminal a table that is drawn anew each second. Keys: q ends, s sorts by the"
                    + " next",
            "column, r turns the order round. Elsewhere, and with --json, it looks once, or as"
                    + " often",
            "as --interval and --count say.",
            "",
            "A proxy that stops to answer stays on the screen with the age of what is shown.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sluice top",
            "  sluice top --sort in-flight --admin 10.0.0.5:9901",
            "  sluice top --json | jq .pools",
            "  sluice top --json --interval 5s --count 12     # a minute, one object each 5 s"
        })
final class TopCommand implements Callable<Integer> {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration SHORTEST = Duration.ofMillis(100);

    private final Console console;
    private final LongSupplier wallClock;

    @Mixin private final AdminOptions options = new AdminOptions();

    @Option(
            names = "--interval",
            paramLabel = "TIME",
            description = "Time between two looks (default: 1s; without a terminal, one look).")
    private @Nullable Duration interval;

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "Ends after N looks (default: none on a terminal, else see above).")
    private @Nullable Integer count;

    @Option(
            names = "--sort",
            paramLabel = "COLUMN",
            defaultValue = "endpoint",
            description =
                    "Begins sorted by this column: ${COMPLETION-CANDIDATES} (default"
                            + " ${DEFAULT-VALUE}).",
            completionCandidates = LoadView.Columns.class)
    private String sort = "";

    TopCommand(Console console) {
        this(console, System::currentTimeMillis);
    }

    TopCommand(Console console, LongSupplier wallClock) {
        this.console = console;
        this.wallClock = wallClock;
    }

    @Override
    public Integer call() throws InterruptedException {
        LoadView.Order order = LoadView.Order.by(sort);
        if (order == null) {
            throw CommandFailed.badInput(
                    "--sort "
                            + sort
                            + ": no such column; there are "
                            + String.join(", ", new LoadView.Columns()));
        }
        Duration every = interval == null ? SECOND : interval;
        if (every.compareTo(SHORTEST) < 0 || (count != null && count < 1)) {
            throw CommandFailed.badInput(
                    "--interval "
                            + Units.show(every)
                            + ", --count "
                            + count
                            + ": write 100ms or"
                            + " more, and 1 or more");
        }
        try (AdminClient admin = options.connect()) {
            if (console.terminal() && !options.json()) {
                try (FullScreen screen = FullScreen.open()) {
                    if (screen != null) {
                        return watch(admin, screen, order, every);
                    }
                }
            }
            return look(admin, order, every);
        }
    }

    /// One after the other, each whole.
    private int look(AdminClient admin, LoadView.Order order, Duration every)
            throws InterruptedException {
        int looks = count != null ? count : interval == null ? 1 : Integer.MAX_VALUE;
        StopSignal stop = StopSignal.install();
        boolean answered = true;
        for (int i = 0; i < looks && !stop.asked(); i++) {
            if (i > 0 && stop.await(every.toNanos())) {
                break;
            }
            answered = tell(admin, order, looks == 1);
        }
        return answered ? 0 : 1;
    }

    /// @param only whether no look follows, so that a failure is the command's
    private boolean tell(AdminClient admin, LoadView.Order order, boolean only) {
        var out = console.out();
        try {
            LoadReport load = admin.load();
            if (options.json()) {
                out.println(new String(AdminJson.bytes(load), StandardCharsets.UTF_8));
            } else {
                LoadView.lines(load, order).forEach(out::println);
            }
            return true;
        } catch (CommandFailed e) {
            if (only || e.exitCode() == 2) {
                throw e;
            }
            String why = String.valueOf(e.getMessage());
            out.println(
                    options.json()
                            ? new String(
                                    AdminJson.bytes(
                                            Map.of(
                                                    "unreachable",
                                                    why,
                                                    "time_ms",
                                                    wallClock.getAsLong())),
                                    StandardCharsets.UTF_8)
                            : "unreachable: " + why);
            return false;
        } finally {
            out.flush();
        }
    }

    private int watch(AdminClient admin, FullScreen screen, LoadView.Order order, Duration every)
            throws InterruptedException {
        StopSignal stop = StopSignal.install();
        var picture = new TopPicture(order, admin.load());
        int looks = count == null ? Integer.MAX_VALUE : count;
        for (int i = 1; ; i++) {
            screen.show(picture.lines(wallClock.getAsLong()));
            long until = System.nanoTime() + every.toNanos();
            while (System.nanoTime() < until && !stop.asked()) {
                switch (screen.key(Math.min(every.toMillis(), 100))) {
                    case 'q', 'Q', FullScreen.ENDED -> stop.ask();
                    case 's', 'S' -> picture.next();
                    case 'r', 'R' -> picture.turn();
                    default -> {
                        continue;
                    }
                }
                screen.show(picture.lines(wallClock.getAsLong()));
            }
            if (stop.asked() || i == looks) {
                return 0;
            }
            try {
                picture.heard(admin.load());
            } catch (CommandFailed e) {
                picture.unheard(String.valueOf(e.getMessage()));
            }
        }
    }

    /// What is on the screen, and how old it is.
    static final class TopPicture {
        private LoadView.Order order;
        private LoadReport load;
        private @Nullable String trouble;

        TopPicture(LoadView.Order order, LoadReport load) {
            this.order = order;
            this.load = load;
        }

        void heard(LoadReport next) {
            load = next;
            trouble = null;
        }

        /// @param why nothing was heard
        void unheard(String why) {
            trouble = why;
        }

        void next() {
            order = order.next();
        }

        void turn() {
            order = order.turned();
        }

        List<String> lines(long nowMs) {
            var out = new ArrayList<String>();
            out.add("proxy " + load.proxy() + "   sorted by " + order.shown());
            out.add(
                    trouble == null
                            ? "q ends, s sorts, r turns round"
                            : "UNREACHABLE, this is "
                                    + Math.max(0, (nowMs - load.timeMs()) / 1_000)
                                    + " s old: "
                                    + trouble);
            out.add("");
            out.addAll(LoadView.lines(load, order));
            return out;
        }
    }
}
