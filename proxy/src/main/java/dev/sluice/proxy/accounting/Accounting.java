package dev.sluice.proxy.accounting;

import dev.sluice.proxy.routing.Dispatcher;

import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

import java.util.List;
import java.util.UUID;
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
    private final JvmGcMetrics gc = new JvmGcMetrics();
    private final PrometheusMeterRegistry registry =
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    /// @param dispatchers those of now: a reload changes them
    /// @param startedMs when the process started, milliseconds since the epoch
    public Accounting(String version, Supplier<List<Dispatcher>> dispatchers, long startedMs) {
        Supplier<List<PoolView>> pools =
                () -> dispatchers.get().stream().map(PoolView::new).toList();
        this.meters = new CallMeters((pool, model) -> serves(pools.get(), pool, model));
        this.reloads = new ReloadMeters(startedMs);
        this.pulse = new Pulse(pools, meters);
        this.loads = new LoadReports(UUID.randomUUID().toString(), startedMs, pools, meters, pulse);
        registry.getPrometheusRegistry().register(new CallCollector(meters));
        registry.getPrometheusRegistry().register(new PoolCollector(pools));
        registry.getPrometheusRegistry().register(new BuildCollector(version));
        registry.getPrometheusRegistry().register(reloads);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        gc.bindTo(registry);
    }

    @Override
    public void ended(CallRecord call) {
        meters.ended(call);
        ring.ended(call);
        estimates.ended(call);
    }

    public RequestRing ring() {
        return ring;
    }

    public TokenEstimates estimates() {
        return estimates;
    }

    /// Beats once a second, by whoever runs the admin port.
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
        gc.close();
        registry.close();
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
