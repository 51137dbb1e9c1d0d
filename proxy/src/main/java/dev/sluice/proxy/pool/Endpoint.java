package dev.sluice.proxy.pool;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/// One address that serves, and this proxy's own counts of what runs there.
///
/// The identity never changes. The counts are atomics that event loops write at the begin and end
/// of each exchange; health, weight and the engine's own numbers are not here but in the {@link
/// Snapshot} that the control thread publishes.
public final class Endpoint {
    private static final long PROGRESS_STEP_NANOS = 250_000_000L;

    private final EndpointConfig config;
    private final String id;
    private final String url;
    private final AtomicInteger inFlight = new AtomicInteger();
    private final AtomicInteger trials = new AtomicInteger();
    private final AtomicInteger failuresInARow = new AtomicInteger();
    private final AtomicInteger refusedInARow = new AtomicInteger();
    private final LongAdder attempts = new LongAdder();
    private final Map<AttemptResult, LongAdder> results = new EnumMap<>(AttemptResult.class);
    private final LongAdder outputTokens = new LongAdder();
    private final Phantom phantom = new Phantom();
    private final PeakEwma ttft = new PeakEwma();
    private volatile InetSocketAddress address;
    private final LongAdder firstBytes = new LongAdder();
    private final LongAdder ttftSum = new LongAdder();
    private final LongAdder gaps = new LongAdder();
    private final LongAdder gapNanos = new LongAdder();
    private final LongAdder busyNanos = new LongAdder();
    private final AtomicBoolean troubled = new AtomicBoolean();
    private volatile int weight;
    private volatile long coolUntil;
    private volatile boolean cooling;
    private volatile long progressAt;
    private volatile boolean progressed;

    Endpoint(EndpointConfig config) {
        this.config = config;
        this.weight = config.weight();
        this.id = config.url().id();
        this.url = config.url().toString();
        this.address = literalOrUnresolved(config.url());
        for (AttemptResult result : AttemptResult.values()) {
            results.put(result, new LongAdder());
        }
    }

    /// `host:port`: its name in admin paths and meters.
    public String id() {
        return id;
    }

    /// The base address as text, for `x-sluice-endpoint`.
    public String url() {
        return url;
    }

    /// The base address in parts: TLS, authority, base path.
    public EndpointUrl address() {
        return config.url();
    }

    /// Where to connect. Resolved by a control thread, never on an event loop; a slot is only
    /// granted on a resolved endpoint.
    public InetSocketAddress socketAddress() {
        return address;
    }

    public int weight() {
        return weight;
    }

    /// Exchanges begun here by this proxy and not yet at their last byte.
    public int inFlight() {
        return inFlight.get();
    }

    public long attempts() {
        return attempts.sum();
    }

    public long results(AttemptResult result) {
        return counter(result).sum();
    }

    /// Attempts that failed by the endpoint's fault.
    public long failures() {
        long sum = 0;
        for (AttemptResult result : AttemptResult.values()) {
            sum += result.failure() ? results(result) : 0;
        }
        return sum;
    }

    public long outputTokens() {
        return outputTokens.sum();
    }

    /// Peak-EWMA of the time to first token; 0 before the first.
    public double ttftNanos() {
        return ttft.nanos();
    }

    /// What a new exchange would queue behind: own in-flight, what others run there (`foreign`,
    /// from the snapshot), and the {@link Phantom} of recent failures.
    public double load(double foreign, long nowNanos) {
        return inFlight.get() + foreign + phantom.level(nowNanos);
    }

    /// Whether it asked for a pause (429, or 503 with Retry-After) that is not over.
    public boolean cooling(long nowNanos) {
        return cooling && coolUntil - nowNanos > 0;
    }

    /// Takes one of `cap` places, if one is free.
    boolean take(int cap) {
        int now = inFlight.get();
        while (now < cap) {
            if (inFlight.compareAndSet(now, now + 1)) {
                return true;
            }
            now = inFlight.get();
        }
        return false;
    }

    /// Takes the one place of a trial, over the cap or not: older streams may still run.
    boolean takeTrial() {
        if (!trials.compareAndSet(0, 1)) {
            return false;
        }
        inFlight.incrementAndGet();
        return true;
    }

    boolean onTrial() {
        return trials.get() != 0;
    }

    void giveBack() {
        inFlight.decrementAndGet();
    }

    /// Allows the next trial.
    void rearm() {
        trials.set(0);
    }

    /// True for the first report since the control thread last looked, so that a storm of failures
    /// is one event.
    boolean reportTrouble() {
        return !troubled.get() && troubled.compareAndSet(false, true);
    }

    void lookedAt() {
        troubled.set(false);
    }

    void begun() {
        attempts.increment();
    }

    /// Counts an exchange's end; the place itself is given back by {@link #giveBack}.
    void ended(AttemptResult result, long tookNanos, long nowNanos) {
        counter(result).increment();
        busyNanos.add(tookNanos);
        if (!result.failure()) {
            if (result == AttemptResult.OK || result == AttemptResult.CLIENT_ERROR) {
                reset(failuresInARow);
                reset(refusedInARow);
            }
            return;
        }
        phantom.add(nowNanos);
        if (result == AttemptResult.REFUSED) {
            refusedInARow.incrementAndGet();
        } else {
            reset(refusedInARow);
        }
        if (result == AttemptResult.SERVER_ERROR) {
            reset(failuresInARow);
        } else {
            failuresInARow.incrementAndGet();
        }
    }

    void firstByte(long ttftNanos, long nowNanos) {
        firstBytes.increment();
        ttftSum.add(ttftNanos);
        ttft.sample(ttftNanos, nowNanos);
    }

    /// Bytes of an answer came. Asked for each buffer, so it writes four times a second at most.
    void progressed(long nowNanos) {
        if (!progressed || nowNanos - progressAt > PROGRESS_STEP_NANOS) {
            progressAt = nowNanos;
            progressed = true;
        }
    }

    /// Whether bytes of an answer came within this time.
    boolean progressedWithin(long nanos, long nowNanos) {
        return progressed && nowNanos - progressAt < nanos;
    }

    void tokens(int count, long spanNanos) {
        outputTokens.add(count);
        if (count > 1 && spanNanos > 0) {
            gaps.add(count - 1);
            gapNanos.add(spanNanos);
        }
    }

    void cool(long untilNanos) {
        coolUntil = untilNanos;
        cooling = true;
    }

    void resolved(InetSocketAddress resolved) {
        address = resolved;
    }

    int failuresInARow() {
        return failuresInARow.get();
    }

    int refusedInARow() {
        return refusedInARow.get();
    }

    /// Forgets what led to an ejection, so that the next one needs new evidence.
    void forgetStreaks() {
        failuresInARow.set(0);
        refusedInARow.set(0);
    }

    void weigh(int next) {
        weight = next;
    }

    Window.Totals totals() {
        long failed = failures();
        return new Window.Totals(
                failed + results(AttemptResult.OK) + results(AttemptResult.CLIENT_ERROR),
                failed,
                firstBytes.sum(),
                ttftSum.sum(),
                gaps.sum(),
                gapNanos.sum(),
                outputTokens.sum(),
                busyNanos.sum());
    }

    @Override
    public String toString() {
        return id;
    }

    private LongAdder counter(AttemptResult result) {
        LongAdder adder = results.get(result);
        if (adder == null) {
            throw new AssertionError(result);
        }
        return adder;
    }

    /// Reads before it writes, so that a healthy endpoint's line stays shared between cores.
    private static void reset(AtomicInteger streak) {
        if (streak.get() != 0) {
            streak.set(0);
        }
    }

    private static InetSocketAddress literalOrUnresolved(EndpointUrl url) {
        return EndpointUrl.literal(url.host())
                ? new InetSocketAddress(InetAddress.ofLiteral(url.host()), url.port())
                : InetSocketAddress.createUnresolved(url.host(), url.port());
    }
}
