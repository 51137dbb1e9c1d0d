package dev.sluice.proxy.accounting;

import dev.sluice.proxy.admission.Guards;
import dev.sluice.proxy.admission.MemoryGuard;
import dev.sluice.proxy.discovery.Searches;
import dev.sluice.proxy.request.TraceContext;
import dev.sluice.proxy.request.Tracing;
import dev.sluice.proxy.routing.Dispatcher;
import dev.sluice.shared.MetricNames;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.netty.channel.EventLoop;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// All that a proxy keeps of its calls, fed by the one record at each call's end.
public final class Accounting implements CallObserver, AutoCloseable {
    /// How many calls can be asked about afterwards.
    private static final int RING = 10_000;

    private final CallMeters meters;
    private final RequestRing ring = new RequestRing(RING);
    private final TokenEstimates estimates = new TokenEstimates();
    private final Pulse pulse;
    private final LoadReports loads;
    private final ReloadMeters reloads;
    private final ClientMeters clients = new ClientMeters();
    private final LoopLag lag = new LoopLag();
    private final Guards guards;
    private final @Nullable AccessLog accessLog;
    private final @Nullable Traces traces;
    private final JvmGcMetrics gc = new JvmGcMetrics();
    private final PrometheusMeterRegistry registry =
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    /// @param dispatchers those of now: a reload changes them
    /// @param startedMs when the process started, milliseconds since the epoch
    /// @throws IOException when the access log cannot be opened
    public Accounting(
            String version,
            Supplier<List<Dispatcher>> dispatchers,
            long startedMs,
            TelemetryConfig telemetry,
            Guards guards)
            throws IOException {
        Supplier<List<PoolView>> pools =
                () -> dispatchers.get().stream().map(PoolView::new).toList();
        this.guards = guards;
        this.meters = new CallMeters((pool, model) -> serves(pools.get(), pool, model));
        this.reloads = new ReloadMeters(startedMs);
        this.pulse = new Pulse(pools, meters);
        this.loads = new LoadReports(UUID.randomUUID().toString(), startedMs, pools, meters, pulse);
        AccessLogConfig log = telemetry.accessLog();
        this.accessLog = log == null ? null : new AccessLog(log);
        TracesConfig to = telemetry.traces();
        this.traces =
                to == null
                        ? null
                        : new Traces(to, version, () -> ThreadLocalRandom.current().nextLong());
        registry.getPrometheusRegistry().register(new CallCollector(meters, pools));
        registry.getPrometheusRegistry().register(new PoolCollector(pools, System::nanoTime));
        registry.getPrometheusRegistry().register(new BuildCollector(version));
        registry.getPrometheusRegistry().register(reloads);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        gc.bindTo(registry);
        registry.getPrometheusRegistry().register(lag);
        closings();
        memory(guards);
        counter(
                MetricNames.ACCESS_LOG_DROPPED,
                "Lines of the access log that were lost",
                () -> accessLog == null ? 0 : accessLog.dropped());
        counter(
                MetricNames.TRACES_DROPPED,
                "Traced calls whose spans were lost",
                () -> traces == null ? 0 : traces.dropped());
    }

    @Override
    public void ended(CallRecord call) {
        meters.ended(call);
        ring.ended(call);
        estimates.ended(call);
        if (accessLog != null) {
            accessLog.ended(call);
        }
        if (traces != null) {
            traces.ended(call);
        }
    }

    /// Places calls in traces, where somebody asks for it.
    public Tracing tracing() {
        if (traces != null) {
            return traces.sampler();
        }
        return accessLog == null ? Tracing.OFF : TraceContext::incoming;
    }

    /// Measures from now on how late this loop is.
    public void watch(EventLoop loop) {
        lag.watch(loop);
    }

    public ClientMeters clients() {
        return clients;
    }

    /// Publishes what the data port tells of itself.
    public void watch(DataPortView port) {
        Gauge.builder(MetricNames.CONNECTIONS, port::connections)
                .description("Client connections now open")
                .register(registry);
        Gauge.builder(MetricNames.CONNECTIONS_MAX, port::maxConnections)
                .description("Client connections that may be open at once")
                .register(registry);
        if (port.certificateEnds() != null) {
            Gauge.builder(MetricNames.CERTIFICATE_EXPIRY, () -> seconds(port.certificateEnds()))
                    .description("When the certificate that is served ends")
                    .register(registry);
        }
    }

    /// Publishes how the searches for endpoints stand.
    public void watch(Supplier<List<Searches.View>> searches) {
        registry.getPrometheusRegistry().register(new DiscoveryCollector(searches));
    }

    public RequestRing ring() {
        return ring;
    }

    public TokenEstimates estimates() {
        return estimates;
    }

    /// A second has passed. Called by one thread: whoever runs the admin port.
    public void beat(long nowNanos, long nowMs) {
        pulse.beat(nowNanos, nowMs);
        lag.look();
    }

    /// How late the latest event loop was in the last second, in seconds; null before any was seen.
    public @Nullable Double loopLag() {
        return lag.lately();
    }

    public Guards guards() {
        return guards;
    }

    public Pulse pulse() {
        return pulse;
    }

    public LoadReports loads() {
        return loads;
    }

    public ReloadMeters reloads() {
        return reloads;
    }

    /// All meters in the format that the Accept header asks for.
    public String scrape(String accept) {
        return registry.scrape(scrapeType(accept));
    }

    /// The Content-Type of {@link #scrape}.
    public static String scrapeType(String accept) {
        return accept.contains("application/openmetrics-text")
                ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                : "text/plain; version=0.0.4; charset=utf-8";
    }

    @Override
    public void close() {
        if (accessLog != null) {
            accessLog.close();
        }
        if (traces != null) {
            traces.close();
        }
        gc.close();
        registry.close();
    }

    private void closings() {
        for (ClientMeters.Closed why : ClientMeters.Closed.values()) {
            FunctionCounter.builder(
                            bare(MetricNames.CONNECTIONS_CLOSED), clients, c -> c.count(why))
                    .tag(MetricNames.REASON, why.name().toLowerCase(Locale.ROOT))
                    .description("Client connections closed against their client's will")
                    .register(registry);
        }
    }

    private void memory(Guards guards) {
        MemoryGuard memory = guards.memory();
        ratio("heap", () -> memory.seen().heap());
        ratio("direct", () -> memory.seen().direct());
        Gauge.builder(MetricNames.MEMORY_PRESSURE, () -> memory.pressure().level())
                .description("0 none, 1 sheds, 2 ends connections, 3 refuses all calls")
                .register(registry);
        Gauge.builder(MetricNames.REQUEST_BODIES, () -> guards.bodies().bytes())
                .description("Bytes of request bodies held")
                .register(registry);
    }

    private void ratio(String area, Supplier<Number> value) {
        Gauge.builder(MetricNames.MEMORY_USED, value)
                .tag(MetricNames.AREA, area)
                .description("Share of the memory that may be used")
                .register(registry);
    }

    /// The library adds `_total` itself.
    private void counter(String name, String help, LongSupplier value) {
        FunctionCounter.builder(bare(name), value, LongSupplier::getAsLong)
                .description(help)
                .register(registry);
    }

    private static double seconds(@Nullable Instant at) {
        return at == null ? Double.NaN : at.getEpochSecond();
    }

    private static String bare(String counter) {
        return counter.substring(0, counter.length() - "_total".length());
    }

    private static boolean serves(List<PoolView> pools, String pool, String model) {
        for (PoolView view : pools) {
            if (view.pool().name().equals(pool)) {
                return view.pool().snapshot().models().contains(model);
            }
        }
        return false;
    }
}
