package dev.sluice.cli;

import dev.sluice.autoscaler.Autoscaler;
import dev.sluice.proxy.Proxy;
import dev.sluice.shared.AdminConfig;
import dev.sluice.shared.LoadReport;
import dev.sluice.shared.LoadReport.EndpointLoad;
import dev.sluice.shared.LoadReport.PoolLoad;
import dev.sluice.shared.ScalingStatus;
import dev.sluice.simulator.replay.Replay;
import dev.sluice.simulator.replay.ReplayConfig;
import dev.sluice.simulator.replay.ReplayListener;
import dev.sluice.simulator.replay.ReplaySummary;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/// `demo`: everything on one machine, for a minute.
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        header = "Shows it all on this machine: no GPU, no cluster, nothing left behind.",
        description = {
            "",
            "Simulated replicas as processes, the proxy before them, the autoscaler over them, and",
            "a load that rises and falls in bursts. One replica becomes slow and one dies.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sluice demo",
            "  sluice demo --for 20s --listen 127.0.0.1:8081"
        })
final class DemoCommand implements Callable<Integer> {
    private static final long LOOK_NANOS = 400_000_000L;
    private static final Duration SHORTEST = Duration.ofSeconds(5);

    /// Two JVMs have to start; a busy machine needs a while for it.
    private static final Duration READY_WITHIN = Duration.ofSeconds(60);

    private static final DecimalFormatSymbols ROOT = DecimalFormatSymbols.getInstance(Locale.ROOT);

    private final Console console;

    @Option(
            names = "--for",
            paramLabel = "TIME",
            defaultValue = "60s",
            description = "How long the load lasts (default 60s).")
    private Duration length = Duration.ZERO;

    @Option(
            names = "--listen",
            paramLabel = "H:P",
            defaultValue = "127.0.0.1:8080",
            description = "Data port (default 127.0.0.1:8080).")
    private InetSocketAddress listen = new InetSocketAddress(0);

    @Option(
            names = "--admin",
            paramLabel = "H:P",
            defaultValue = "127.0.0.1:9901",
            description = "Admin port and page (default 127.0.0.1:9901).")
    private AdminConfig admin = new AdminConfig("127.0.0.1", 0, null);

    DemoCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException, IOException {
        if (length.compareTo(SHORTEST) < 0) {
            throw CommandFailed.badInput("--for: too short to see anything; write at least 5s");
        }
        StopSignal stop = StopSignal.install();
        Path folder = Files.createTempDirectory("sluice-demo-");
        Logs.toFile(folder.resolve("demo.log"));
        try {
            return run(new DemoSettings(length, listen, admin, folder), stop);
        } finally {
            endChildren();
            delete(folder);
        }
    }

    private int run(DemoSettings settings, StopSignal stop) throws InterruptedException {
        var ledger = new DemoLedger();
        List<ScalingStatus.Decision> scalings;
        ReplaySummary summary;
        try (Proxy proxy = Proxy.start(settings.proxy(), ledger);
                AdminClient client = new AdminClient(proxy.adminUrl(), null);
                Autoscaler autoscaler =
                        Autoscaler.start(settings.autoscaler(proxy.adminUrl()), false);
                Screen screen = Screen.open(console)) {
            var watch = new Watch(proxy, client, autoscaler, screen, ledger);
            watch.awaitReplicas(stop);
            summary = watch.load(settings, stop);
            scalings = watch.scalings();
        } catch (IOException e) {
            throw CommandFailed.failed(String.valueOf(e.getMessage()));
        }
        if (summary == null) {
            console.err().println("Stopped before the load began.");
            return 0;
        }
        return tell(summary, scalings, ledger, stop.asked());
    }

    private int tell(
            ReplaySummary summary,
            List<ScalingStatus.Decision> scalings,
            DemoLedger ledger,
            boolean interrupted) {
        var out = console.out();
        out.println();
        if (interrupted) {
            out.println("Stopped early; calls that still ran count as cancelled.");
        }
        SummaryText.lines(summary).forEach(out::println);
        out.println();
        out.println("scalings");
        scalings.reversed().forEach(d -> out.println("  " + why(d)));
        out.println();
        out.println("streams cut by scaling: " + ledger.cutByScaling());
        out.println(
                "streams lost with the killed replica, half-way: "
                        + ledger.lostToKill()
                        + " (the only calls that should fail)");
        out.println("calls saved by a second attempt, unseen by the client: " + ledger.retried());
        for (String failure : ledger.unexplained()) {
            out.println("failed for no reason that the demo made: " + failure);
        }
        if (ledger.good() == 0 && !interrupted) {
            throw CommandFailed.failed("not one call was answered");
        }
        return 0;
    }

    /// `2 -> 3: the work in flight and queued needs more (work 8.1, need 3, ready 2, queued 35)`:
    /// the sentence with the few of its numbers that fit on a line.
    private static String why(ScalingStatus.Decision decision) {
        String message = decision.message();
        int numbers = message.lastIndexOf(" (");
        var shown = new ArrayList<String>();
        for (String term : List.of("work", "need", "ready", "starting", "queued")) {
            Double value = decision.terms().get(term);
            if (value != null) {
                shown.add(term + " " + new DecimalFormat("0.#", ROOT).format(value));
            }
        }
        return (numbers < 0 ? message : message.substring(0, numbers))
                + " ("
                + String.join(", ", shown)
                + ")";
    }

    /// Every child has been stopped by now; one that has not must not outlive the demo.
    private void endChildren() {
        ProcessHandle.current()
                .children()
                .filter(ProcessHandle::isAlive)
                .forEach(
                        child -> {
                            console.err().println("killing the replica " + child.pid());
                            child.destroyForcibly();
                        });
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    /// Looks at the proxy and the autoscaler twice a second, shows what it sees, and makes the
    /// mischief.
    private static final class Watch {
        private final URI base;
        private final Proxy proxy;
        private final AdminClient client;
        private final Autoscaler autoscaler;
        private final Screen screen;
        private final DemoLedger ledger;
        private final DemoMischief mischief;
        private int told;
        private volatile ReplayListener.@Nullable Progress progress;

        Watch(
                Proxy proxy,
                AdminClient client,
                Autoscaler autoscaler,
                Screen screen,
                DemoLedger ledger) {
            this.base = URI.create("http://127.0.0.1:" + proxy.port());
            this.proxy = proxy;
            this.client = client;
            this.autoscaler = autoscaler;
            this.screen = screen;
            this.ledger = ledger;
            this.mischief = new DemoMischief(ledger, screen::news);
        }

        void awaitReplicas(StopSignal stop) throws InterruptedException {
            screen.news("proxy " + base + "/v1, page " + proxy.adminUrl() + "/");
            screen.news("starting " + DemoSettings.MIN + " simulated replicas");
            long deadline = System.nanoTime() + READY_WITHIN.toNanos();
            while (ready() < DemoSettings.MIN) {
                look();
                if (System.nanoTime() > deadline) {
                    throw CommandFailed.failed(
                            "the replicas were not ready within "
                                    + READY_WITHIN.toSeconds()
                                    + " s: "
                                    + autoscaler.statuses().stream()
                                            .map(ScalingStatus::message)
                                            .toList());
                }
                if (stop.await(LOOK_NANOS)) {
                    return;
                }
            }
        }

        /// Null when it was stopped before it began.
        @Nullable ReplaySummary load(DemoSettings settings, StopSignal stop)
                throws InterruptedException, IOException {
            if (stop.asked()) {
                return null;
            }
            screen.news(
                    "load for "
                            + settings.length().toSeconds()
                            + " s; times are short for the demo: replicas go after "
                            + settings.window().toSeconds()
                            + " s without need");
            ReplayConfig config =
                    ReplayConfig.of(base)
                            .withModel(DemoSettings.MODEL)
                            .withTimeout(Duration.ofSeconds(60));
            long began = System.nanoTime();
            Replay replay = Replay.start(config, settings.calls(), now -> progress = now);
            while (!over() && !stop.await(LOOK_NANOS)) {
                PoolLoad pool = look();
                double share = (System.nanoTime() - began) / (double) settings.length().toNanos();
                mischief.act(share, pool.endpoints());
            }
            if (stop.asked()) {
                replay.stop();
            }
            ReplaySummary summary = replay.await();
            look();
            screen.news("load over, stopping the replicas");
            return summary;
        }

        List<ScalingStatus.Decision> scalings() {
            return autoscaler.statuses().stream().flatMap(s -> s.decisions().stream()).toList();
        }

        private boolean over() {
            ReplayListener.Progress now = progress;
            return now != null && now.ended() == now.total();
        }

        private long ready() {
            return client.load().pools().getFirst().endpoints().stream()
                    .filter(e -> e.state().equals("healthy"))
                    .count();
        }

        private PoolLoad look() {
            LoadReport load = client.load();
            PoolLoad pool = load.pools().getFirst();
            pool.endpoints().stream()
                    .filter(e -> e.state().equals("draining"))
                    .map(EndpointLoad::id)
                    .forEach(ledger::draining);
            tellScalings();
            screen.show(picture(pool, load.timeMs()), line(pool));
            return pool;
        }

        private void tellScalings() {
            List<ScalingStatus.Decision> all = scalings().reversed();
            for (ScalingStatus.Decision d : all.subList(Math.min(told, all.size()), all.size())) {
                screen.news("replicas " + why(d));
            }
            told = all.size();
        }

        private List<String> picture(PoolLoad pool, long nowMs) {
            var out = new ArrayList<String>();
            out.add("sluice demo   " + base + "/v1   page " + proxy.adminUrl() + "/");
            out.add("");
            out.add(replicas(pool));
            out.add(calls());
            out.add("");
            out.addAll(LoadView.endpoints(pool, nowMs));
            return out;
        }

        private String line(PoolLoad pool) {
            return replicas(pool) + "   " + calls();
        }

        private String replicas(PoolLoad pool) {
            String replicas =
                    autoscaler.statuses().stream()
                            .map(
                                    s ->
                                            "replicas "
                                                    + s.ready()
                                                    + " ready, "
                                                    + s.starting()
                                                    + " starting, "
                                                    + s.draining()
                                                    + " draining")
                            .findFirst()
                            .orElse("replicas -");
            Double ttft = pool.ttftP95Ms();
            return replicas
                    + "   in flight "
                    + pool.inFlight()
                    + "  queued "
                    + pool.queued()
                    + "  TTFT p95 "
                    + (ttft == null ? "-" : Math.round(ttft) + " ms");
        }

        private String calls() {
            ReplayListener.Progress now = progress;
            if (now == null) {
                return "calls -";
            }
            return "calls "
                    + now.ended()
                    + " of "
                    + now.total()
                    + ": ok "
                    + now.ok()
                    + ", failed "
                    + now.failed()
                    + ", shed "
                    + now.shed();
        }
    }
}
