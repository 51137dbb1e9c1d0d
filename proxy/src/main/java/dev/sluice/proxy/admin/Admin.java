package dev.sluice.proxy.admin;

import dev.sluice.proxy.accounting.Accounting;
import dev.sluice.proxy.accounting.LoadReports;
import dev.sluice.proxy.accounting.PoolView;
import dev.sluice.proxy.discovery.Searches;
import dev.sluice.proxy.pool.PoolControl;
import dev.sluice.proxy.routing.Router;
import dev.sluice.shared.AdminAnswer;
import dev.sluice.shared.AdminConfig;
import dev.sluice.shared.AdminRequest;
import dev.sluice.shared.AdminRoute;
import dev.sluice.shared.AdminServer;
import dev.sluice.shared.LoadReport;
import dev.sluice.shared.ScalingStatus;

import org.jspecify.annotations.Nullable;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// The admin port of a proxy.
///
/// `/livez` is 200 for as long as the process answers. `/readyz` and `/health` say {@link
/// Readiness}. A thread of its own beats once a second for {@link Accounting} and {@link Live}.
public final class Admin implements AutoCloseable {
    private static final int LONGEST_WAIT_MS = 30_000;

    private final Shown shown;
    private final ConfigRoutes config;
    private final Scaling scaling = new Scaling();
    private final Strain.Cpu cpu = new Strain.Cpu();
    private final Pictures pictures;
    private final Live live;
    private final boolean guarded;
    private final AdminServer server;
    private final Thread beats;

    /// What the port shows.
    public record Shown(
            String version,
            Configuration configuration,
            Accounting accounting,
            Routing routing,
            Life life) {
        List<PoolView> pools() {
            return accounting.loads().pools();
        }

        LoadReports loads() {
            return accounting.loads();
        }
    }

    /// Who serves calls.
    ///
    /// @param router that of now: a reload replaces it
    /// @param searches how the searches for endpoints stand
    public record Routing(
            PoolControl control, Supplier<Router> router, Supplier<List<Searches.View>> searches) {}

    /// Where the process is in its life.
    ///
    /// @param draining whether it finishes and accepts nothing new
    /// @param succeeded whether a successor is ready at the same data port
    public record Life(BooleanSupplier draining, BooleanSupplier succeeded) {}

    /// Binds and answers.
    ///
    /// @throws dev.sluice.shared.ConfigException when the address cannot be used
    /// @throws java.io.UncheckedIOException when it is taken
    public static Admin start(AdminConfig config, Shown shown) {
        return new Admin(config, shown);
    }

    private Admin(AdminConfig at, Shown shown) {
        this.shown = shown;
        this.config = new ConfigRoutes(shown.configuration());
        this.pictures = new Pictures(shown, this::load, scaling, cpu);
        this.live = new Live(pictures::now, pictures::history);
        this.guarded = at.token() != null;
        this.server = AdminServer.start(at, routes());
        this.beats = Thread.ofVirtual().name("admin-beat").start(this::beat);
    }

    public int port() {
        return server.port();
    }

    /// Where the page is.
    public URI url() {
        return server.url();
    }

    @Override
    public void close() {
        beats.interrupt();
        server.close();
    }

    private List<AdminRoute> routes() {
        var page = new Page();
        var routes = new ArrayList<AdminRoute>();
        routes.add(AdminRoute.open("/livez", _ -> AdminAnswer.text(200, "ok\n")));
        routes.add(AdminRoute.open("/health/liveliness", _ -> AdminAnswer.text(200, "ok\n")));
        for (String path : List.of("/readyz", "/health", "/health/readiness")) {
            routes.add(AdminRoute.open(path, _ -> health()));
        }
        routes.add(AdminRoute.open("/metrics", this::metrics));
        routes.add(AdminRoute.get("/", _ -> page.answer()));
        routes.add(AdminRoute.get("/admin/v1/status", _ -> AdminAnswer.ok(status())));
        routes.add(AdminRoute.get("/admin/v1/load", this::loadWhenQueued));
        routes.add(AdminRoute.get("/admin/v1/access", this::access));
        routes.add(AdminRoute.get("/admin/v1/events", _ -> live.watch()));
        routes.add(AdminRoute.post("/admin/v1/scaling", this::scaling));
        routes.addAll(new CallRoutes(shown.accounting().ring()).routes());
        routes.add(
                new ExplainRoute(shown.routing().router(), shown.accounting().estimates()).route());
        routes.addAll(config.routes());
        routes.addAll(
                new EndpointRoutes(shown::pools, shown.routing().control(), this::endpoints)
                        .routes());
        return routes;
    }

    private AdminAnswer health() {
        Readiness now = readiness();
        return new AdminAnswer.Json(
                now.ready() ? 200 : 503,
                Map.of("status", now.ready() ? "ok" : "unavailable", "reason", now.reason()));
    }

    private AdminAnswer metrics(AdminRequest request) {
        return new AdminAnswer.Content(
                200,
                Accounting.scrapeType(request.accept()),
                shown.accounting().scrape(request.accept()),
                Map.of());
    }

    private Map<String, @Nullable Object> status() {
        Readiness ready = readiness();
        var out = new LinkedHashMap<String, @Nullable Object>();
        out.put("proxy", shown.loads().proxy());
        out.put("version", shown.version());
        out.put("started_ms", shown.loads().startedMs());
        out.put("uptime_s", uptimeS());
        out.put("ready", ready.ready());
        out.put("draining", shown.life().draining().getAsBoolean());
        out.put("succeeded", shown.life().succeeded().getAsBoolean());
        out.put("reason", ready.reason());
        out.put("pools", load().pools());
        out.put("scaling", scaling.all());
        out.put("config", ConfigView.of(shown.configuration().effective()));
        out.put("last_reload", config.status());
        out.put("discovery", shown.routing().searches().get());
        return out;
    }

    /// What the one who asks may do here, for the page.
    private AdminAnswer access(AdminRequest request) {
        return AdminAnswer.ok(Map.of("may_write", request.mayWrite(), "token_needed", guarded));
    }

    private AdminAnswer scaling(AdminRequest request) {
        ScalingStatus status = request.lenient(ScalingStatus.class);
        if (status.pool().isEmpty()) {
            return AdminAnswer.badRequest("pool", "is missing", "name a pool of this proxy");
        }
        if (shown.pools().stream().noneMatch(p -> p.pool().name().equals(status.pool()))) {
            return AdminAnswer.notFound(
                    "pool",
                    "no pool is named \"" + status.pool() + "\"",
                    "name the pool as this proxy's configuration does");
        }
        scaling.heard(status);
        return AdminAnswer.ok(Map.of("pool", status.pool()));
    }

    private Readiness readiness() {
        return Readiness.of(shown.life().draining().getAsBoolean(), shown.pools());
    }

    /// With `wait_ms` and `pool` it answers once a call waits in that pool's queue, or when the
    /// time is over: how an autoscaler sleeps while there is no replica.
    private AdminAnswer loadWhenQueued(AdminRequest request) {
        int waitMs = request.number("wait_ms", 0, 0, LONGEST_WAIT_MS);
        if (waitMs == 0) {
            return AdminAnswer.ok(load());
        }
        String name = request.query().getOrDefault("pool", "");
        PoolView pool =
                shown.pools().stream()
                        .filter(p -> p.pool().name().equals(name))
                        .findFirst()
                        .orElse(null);
        if (pool == null) {
            return AdminAnswer.notFound(
                    "pool",
                    "no pool is named \"" + name + "\"",
                    "with wait_ms, name one of this proxy's pools");
        }
        try {
            pool.dispatcher().awaitQueued(Duration.ofMillis(waitMs));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closing
        }
        return AdminAnswer.ok(load());
    }

    private LoadReport load() {
        return shown.loads()
                .now(
                        !shown.life().draining().getAsBoolean(),
                        System.nanoTime(),
                        System.currentTimeMillis());
    }

    private List<EndpointView> endpoints() {
        var out = new ArrayList<EndpointView>();
        for (LoadReport.PoolLoad pool : load().pools()) {
            out.addAll(pictures.endpoints(pool));
        }
        return out;
    }

    private long uptimeS() {
        return (System.currentTimeMillis() - shown.loads().startedMs()) / 1_000;
    }

    /// Keeps to whole seconds of its own clock, so that a slow beat does not stretch the next.
    private void beat() {
        long next = System.nanoTime();
        while (!Thread.currentThread().isInterrupted()) {
            cpu.look(System.nanoTime());
            shown.accounting().beat(System.nanoTime(), System.currentTimeMillis());
            live.publish();
            next = Math.max(next + TimeUnit.SECONDS.toNanos(1), System.nanoTime());
            LockSupport.parkNanos(next - System.nanoTime());
        }
    }
}
