package dev.sluice.autoscaler;

import dev.sluice.autoscaler.signal.Proxies;
import dev.sluice.autoscaler.target.DryRun;
import dev.sluice.autoscaler.target.LocalProcesses;
import dev.sluice.autoscaler.target.ProcessSpec;
import dev.sluice.autoscaler.target.Target;
import dev.sluice.shared.AdminAnswer;
import dev.sluice.shared.AdminRoute;
import dev.sluice.shared.AdminServer;
import dev.sluice.shared.ScalingStatus;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;

/// The running autoscaler: a loop for each scaler of its configuration, on a virtual thread of its
/// own, and the admin port where one is configured.
public final class Autoscaler implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Autoscaler.class);

    /// Without a decision for this many intervals a loop hangs, and the program is not ready.
    private static final int LATE = 10;

    private final AutoscalerConfig config;
    private final boolean dryRun;
    private final LongSupplier clock = clock();
    private final Meters meters = new Meters();
    private final List<Scaler> scalers = new ArrayList<>();
    private final List<Thread> loops = new ArrayList<>();
    private @Nullable Controller controller;
    private @Nullable AdminServer admin;

    private Autoscaler(AutoscalerConfig config, boolean dryRun) {
        this.config = config;
        this.dryRun = dryRun;
    }

    /// Starts and returns.
    ///
    /// @param dryRun decide and tell, and touch nothing
    /// @throws dev.sluice.shared.ConfigException when the state folder cannot be used
    /// @throws java.io.UncheckedIOException when the admin port is taken
    public static Autoscaler start(AutoscalerConfig config, boolean dryRun) {
        var autoscaler = new Autoscaler(config, dryRun);
        try {
            autoscaler.open();
        } catch (RuntimeException e) {
            autoscaler.close();
            throw e;
        }
        return autoscaler;
    }

    /// Where its probes and metrics are; null where none are configured.
    public @Nullable URI adminUrl() {
        return admin == null ? null : admin.url();
    }

    /// What each scaler said last.
    public List<ScalingStatus> statuses() {
        var out = new ArrayList<ScalingStatus>();
        scalers.stream().map(Scaler::status).filter(Objects::nonNull).forEach(out::add);
        if (controller != null) {
            out.addAll(controller.statuses());
        }
        return List.copyOf(out);
    }

    /// Ends the loops, then the replicas: each drains for at most 10 s, unless they are to be kept.
    @Override
    public void close() {
        loops.forEach(Thread::interrupt);
        if (controller != null) {
            controller.close();
        }
        var endings = new ArrayList<Thread>();
        for (Scaler scaler : scalers) {
            endings.add(Thread.ofVirtual().name("end " + scaler.pool()).start(() -> end(scaler)));
        }
        try {
            for (Thread ending : endings) {
                ending.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (admin != null) {
            admin.close();
        }
    }

    private void open() {
        meters.leader(config.kubernetes() == null && !dryRun);
        for (AutoscalerConfig.Entry entry : config.scalers()) {
            if (!(entry.target() instanceof ProcessSpec process)) {
                continue;
            }
            var proxies = new Proxies(entry.proxies());
            Target processes =
                    new LocalProcesses(
                            entry.pool(),
                            process,
                            entry.spec().scaleDown().drain(),
                            proxies,
                            config.state(),
                            clock.getAsLong());
            Target target = dryRun ? new DryRun(processes) : processes;
            scalers.add(
                    new Scaler(
                            entry.pool(),
                            entry.spec(),
                            proxies,
                            target,
                            config.interval(),
                            meters));
        }
        if (config.kubernetes() != null) {
            controller = new Controller(config, config.kubernetes(), meters, clock, dryRun);
        }
        if (config.admin() != null) {
            admin = AdminServer.start(config.admin(), routes());
        }
        for (Scaler scaler : scalers) {
            loops.add(Thread.ofVirtual().name("scale " + scaler.pool()).start(() -> run(scaler)));
        }
    }

    private void run(Scaler scaler) {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                scaler.pause(step(scaler));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closing
        }
    }

    /// A bug in one look must not end the loop: the next look starts from what there is.
    private Duration step(Scaler scaler) throws InterruptedException {
        try {
            return scaler.step(clock, dryRun);
        } catch (RuntimeException e) {
            log.error("{}: a look failed, the next one follows", scaler.pool(), e);
            return config.interval();
        }
    }

    private void end(Scaler scaler) {
        try {
            for (Thread loop : loops) {
                loop.join();
            }
            scaler.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private List<AdminRoute> routes() {
        var routes = new ArrayList<AdminRoute>();
        routes.add(AdminRoute.open("/livez", r -> AdminAnswer.text(200, "ok\n")));
        for (String path : List.of("/readyz", "/health")) {
            routes.add(AdminRoute.open(path, r -> ready()));
        }
        routes.add(
                AdminRoute.open(
                        "/metrics",
                        r ->
                                new AdminAnswer.Content(
                                        200,
                                        "text/plain; version=0.0.4; charset=utf-8",
                                        meters.scrape(),
                                        Map.of())));
        routes.add(AdminRoute.get("/admin/v1/scaling", r -> AdminAnswer.ok(statuses())));
        return routes;
    }

    private AdminAnswer ready() {
        long since = clock.getAsLong() - LATE * config.interval().toMillis();
        List<String> late =
                scalers.stream()
                        .filter(s -> s.status() == null || s.status().timeMs() < since)
                        .map(Scaler::pool)
                        .toList();
        return late.isEmpty()
                ? AdminAnswer.text(200, "ok\n")
                : AdminAnswer.text(503, "no decision lately for " + late + "\n");
    }

    /// Milliseconds since the epoch that only go forward: wall time now, then elapsed time.
    private static LongSupplier clock() {
        long wall = System.currentTimeMillis();
        long start = System.nanoTime();
        return () -> wall + (System.nanoTime() - start) / 1_000_000;
    }
}
