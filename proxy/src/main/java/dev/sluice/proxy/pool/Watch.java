package dev.sluice.proxy.pool;

import dev.sluice.proxy.pool.HealthState.Degraded;
import dev.sluice.proxy.pool.HealthState.Draining;
import dev.sluice.proxy.pool.HealthState.Healthy;
import dev.sluice.proxy.pool.HealthState.Starting;
import dev.sluice.proxy.pool.HealthState.Unhealthy;
import dev.sluice.proxy.pool.Inspector.Finding;
import dev.sluice.proxy.pool.Observations.Probes;
import dev.sluice.proxy.pool.Observations.Trial;
import dev.sluice.shared.EngineLoad;

import org.jspecify.annotations.Nullable;

/// What the control thread remembers of one endpoint. Control thread only.
final class Watch {
    private static final int MODELS_EVERY = 10;

    /// Longer than the gap between two tokens of a loaded engine.
    private static final long PROGRESS_NANOS = 3_000_000_000L;

    final Endpoint endpoint;
    private HealthConfig config;
    private final Window window;
    private HealthState state;
    private Probes probes = Probes.NONE_YET;
    private Trial trial = Trial.NONE;
    private boolean drained;
    private boolean leaving;
    private @Nullable String withheld;
    private @Nullable Engine engine;
    private @Nullable EngineLoad load;
    private long loadAt;
    private double foreign;
    private double preemptionsPerSecond;
    private @Nullable Long readySince;
    private int probesDone;
    private boolean probing;
    private boolean scraping;
    private long probeAt;
    private long scrapeAt;
    private long resolveAt;

    Watch(Endpoint endpoint, HealthConfig config, long now) {
        this.endpoint = endpoint;
        this.config = config;
        this.window = new Window(endpoint.totals());
        this.state = new Starting("not probed yet", now);
        this.probeAt = now;
        this.scrapeAt = now;
        this.resolveAt = now;
    }

    HealthState state() {
        return state;
    }

    /// The state without the drain.
    HealthState bare() {
        return state instanceof Draining d ? d.under() : state;
    }

    @Nullable Engine engine() {
        return engine;
    }

    boolean probeDue(long now) {
        return !leaving && !probing && now - probeAt >= 0;
    }

    /// @param jitter 0.8 to 1.2, so that many proxies do not probe in step
    /// @return whether to read the models again
    boolean probeBegins(long now, double jitter) {
        probing = true;
        // Not yet ready: look often, since calls may wait for it.
        long interval =
                bare() instanceof Starting
                        ? Math.min(250_000_000L, config.interval().toNanos())
                        : config.interval().toNanos();
        probeAt = now + (long) (interval * jitter);
        return probesDone++ % MODELS_EVERY == 0;
    }

    void probed(Finding finding) {
        probing = false;
        switch (finding) {
            case Finding.Alive alive -> {
                probes = probes.passed();
                engine = alive.engine();
            }
            case Finding.Failed failed -> {
                probes = probes.failed(failed.why(), failed.connected(), failed.silent());
                if (!failed.connected()) {
                    // What comes back may be something else.
                    engine = null;
                }
            }
        }
    }

    boolean scrapeDue(long now) {
        return !leaving
                && !scraping
                && engine != null
                && !engine.kind().metricsPath().isEmpty()
                && now - scrapeAt >= 0;
    }

    void scrapeBegins(long now, double jitter) {
        scraping = true;
        scrapeAt = now + (long) (config.scrapeInterval().toNanos() * jitter);
    }

    /// @param own this proxy's exchanges here while the engine answered; the rest is others'
    void scraped(@Nullable EngineLoad next, int own, long now) {
        scraping = false;
        if (next == null || next.equals(EngineLoad.NONE)) {
            return;
        }
        preemptionsPerSecond = slope(load, next, now - loadAt);
        load = next;
        loadAt = now;
        foreign = foreign(next, own);
    }

    static double foreign(EngineLoad load, int own) {
        if (load.running() == null && load.waiting() == null) {
            return 0;
        }
        double running = load.running() == null ? 0 : load.running();
        double waiting = load.waiting() == null ? 0 : load.waiting();
        return Math.max(0, running + waiting - own);
    }

    boolean resolveDue(long now) {
        return now - resolveAt >= 0 && !EndpointUrl.literal(endpoint.address().host());
    }

    void resolveBegins(long now) {
        resolveAt =
                now + (endpoint.socketAddress().isUnresolved() ? 1_000_000_000L : 30_000_000_000L);
    }

    void drain(boolean yes) {
        drained = yes;
    }

    /// Nothing names it any more: it finishes what runs.
    void leave() {
        leaving = true;
        drained = false;
    }

    /// It is named, again or still.
    ///
    /// @param why it may take nothing new; null: it may
    void stay(@Nullable String why) {
        leaving = false;
        withheld = why;
    }

    boolean leaving() {
        return leaving;
    }

    void follow(HealthConfig next) {
        config = next;
    }

    /// Why nothing new may go there; null when it may.
    private @Nullable String drainedBy() {
        if (leaving) {
            return "removed: finishes what runs";
        }
        return drained ? "drained by request" : withheld;
    }

    void trialEnded(AttemptResult result) {
        if (result.failure()) {
            trial = Trial.FAILED;
            return;
        }
        boolean proves =
                result == AttemptResult.OK
                        || result == AttemptResult.CLIENT_ERROR
                        || result == AttemptResult.OVERLOADED;
        trial = proves ? Trial.SUCCEEDED : Trial.NONE;
    }

    void tick() {
        window.tick(endpoint.totals());
    }

    Recent recent() {
        return window.recent(endpoint.totals());
    }

    /// Applies the rules; returns the state before.
    HealthState judge(Peers peers, boolean mayEject, long now) {
        HealthState before = state;
        boolean wasReady = ready();
        state =
                HealthRules.next(
                        state,
                        new Observations(
                                drainedBy(),
                                probes,
                                endpoint.refusedInARow(),
                                endpoint.failuresInARow(),
                                trial,
                                recent(),
                                peers.ttftNanos(),
                                peers.nanosPerToken(),
                                fresh(now) ? load : null,
                                load != null && !fresh(now),
                                fresh(now) ? preemptionsPerSecond : 0,
                                endpoint.cooling(now),
                                mayEject,
                                endpoint.progressedWithin(PROGRESS_NANOS, now)),
                        config,
                        now);
        trial = Trial.NONE;
        if (!wasReady && ready()) {
            readySince = now;
            endpoint.forgetStreaks();
            window.clear(endpoint.totals());
        }
        return before;
    }

    /// HEALTHY or DEGRADED, drained or not.
    boolean ready() {
        return bare() instanceof Healthy || bare() instanceof Degraded;
    }

    /// Still on its way to a full share.
    boolean isNew(long now) {
        return readySince != null && now - readySince < config.slowStart().toNanos();
    }

    /// max(0.1, t / slow start).
    double slowStart(long now) {
        return readySince == null || !isNew(now)
                ? 1
                : Math.max(0.1, (double) (now - readySince) / config.slowStart().toNanos());
    }

    double healthWeight() {
        return bare() instanceof Degraded d ? d.weight() : 1;
    }

    /// May take trial requests: its time has come and its last probe passed.
    boolean trialDue(long now) {
        return state instanceof Unhealthy u
                && u.trialAt() != null
                && now - u.trialAt() >= 0
                && probes.failures() == 0
                && resolved();
    }

    /// May be tried when nothing better is left: a connection is to be had, as far as is known.
    boolean lastResort() {
        return resolved()
                && switch (state) {
                    case Unhealthy _ -> probes.connectable();
                    case Starting _ -> probes.silent();
                    case Healthy _, Degraded _, Draining _ -> false;
                };
    }

    /// The smaller, the less bad.
    int badness() {
        return state instanceof Unhealthy u ? u.ejections() : 0;
    }

    boolean resolved() {
        return !endpoint.socketAddress().isUnresolved();
    }

    double foreignNow(long now) {
        return fresh(now) ? foreign : 0;
    }

    @Nullable EngineReport report() {
        Engine known = engine;
        return known == null
                ? null
                : new EngineReport(known.kind().label(), known.version(), load, loadAt);
    }

    private boolean fresh(long now) {
        return load != null && now - loadAt < config.staleness().toNanos();
    }

    private static double slope(@Nullable EngineLoad before, EngineLoad after, long nanos) {
        Double then = before == null ? null : before.preemptions();
        Double now = after.preemptions();
        return then == null || now == null || nanos <= 0
                ? 0
                : Math.max(0, (now - then) / (nanos / 1e9));
    }

    /// The pool's medians, which an endpoint is compared with; null where nobody has a sample.
    record Peers(@Nullable Double ttftNanos, @Nullable Double nanosPerToken) {}
}
