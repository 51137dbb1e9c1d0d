package dev.sluice.proxy.accounting;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// What counting a call costs: nanoseconds and bytes for each call, on one and on two threads, of
/// {@link CallMeters} and of Micrometer's own timers with the same buckets and their meters
/// resolved beforehand. Run by hand: `java -cp … dev.sluice.proxy.accounting.CallMetersTiming`.
public final class CallMetersTiming {
    private static final int CALLS = 3_000_000;

    private CallMetersTiming() {}

    public static void main(String[] args) throws InterruptedException {
        var meters = new CallMeters((pool, model) -> true);
        var ring = new RequestRing(10_000);
        var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        CallObserver micrometer = micrometer(registry);
        for (int threads = 1; threads <= 2; threads++) {
            run("meters", threads, meters);
            run("meters and ring", threads, c -> both(meters, ring, c));
            run("micrometer", threads, micrometer);
        }
    }

    private static void both(CallMeters meters, RequestRing ring, CallRecord call) {
        meters.ended(call);
        ring.ended(call);
    }

    /// Two timers and three summaries with buckets, six counters: what CallMeters keeps.
    private static CallObserver micrometer(PrometheusMeterRegistry registry) {
        List<Timer> timers = new ArrayList<>();
        for (Buckets.Scale scale :
                List.of(
                        ModelMeters.DURATION,
                        ModelMeters.TTFT,
                        ModelMeters.PER_TOKEN,
                        ModelMeters.TOKENS,
                        ModelMeters.TOKENS,
                        PoolMeters.OVERHEAD,
                        PoolMeters.QUEUE_WAIT,
                        PoolMeters.FINE_TTFT)) {
            timers.add(
                    Timer.builder("timer" + timers.size())
                            .serviceLevelObjectives(
                                    Arrays.stream(scale.limits())
                                            .mapToObj(Duration::ofNanos)
                                            .toArray(Duration[]::new))
                            .register(registry));
        }
        List<Counter> counters = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            counters.add(registry.counter("counter" + i));
        }
        return call -> {
            timers.get(0).record(call.totalNanos(), TimeUnit.NANOSECONDS);
            timers.get(1).record(call.ttftNanos(), TimeUnit.NANOSECONDS);
            timers.get(2).record(30_000_000, TimeUnit.NANOSECONDS);
            timers.get(3).record(call.promptTokens(), TimeUnit.NANOSECONDS);
            timers.get(4).record(call.outputTokens(), TimeUnit.NANOSECONDS);
            timers.get(5).record(call.overheadNanos(), TimeUnit.NANOSECONDS);
            timers.get(6).record(call.queueNanos(), TimeUnit.NANOSECONDS);
            timers.get(7).record(call.ttftNanos(), TimeUnit.NANOSECONDS);
            counters.forEach(Counter::increment);
        };
    }

    private static void run(String name, int threads, CallObserver observer)
            throws InterruptedException {
        for (int round = 0; round < 4; round++) {
            var all = new ArrayList<Thread>();
            var nanos = new long[threads];
            var bytes = new long[threads];
            for (int t = 0; t < threads; t++) {
                int me = t;
                all.add(
                        Thread.ofPlatform()
                                .start(
                                        () -> {
                                            CallRecord[] calls = calls();
                                            long before = allocated();
                                            long start = cpu();
                                            for (int i = 0; i < CALLS; i++) {
                                                observer.ended(calls[i & 1023]);
                                            }
                                            nanos[me] = cpu() - start;
                                            bytes[me] = allocated() - before;
                                        }));
            }
            for (Thread thread : all) {
                thread.join();
            }
            if (round == 3) {
                System.out.printf(
                        "%-18s %d threads: %d ns CPU and %.1f bytes per call%n",
                        name,
                        threads,
                        Arrays.stream(nanos).sum() / threads / CALLS,
                        Arrays.stream(bytes).sum() / (double) threads / CALLS);
            }
        }
    }

    /// Each with a model name of its own, as parsed from a body.
    private static CallRecord[] calls() {
        var out = new CallRecord[1024];
        Arrays.setAll(out, i -> Calls.ok("id-" + i, String.valueOf("llama-3.1-8b".toCharArray())));
        return out;
    }

    private static long cpu() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static long allocated() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean())
                .getCurrentThreadAllocatedBytes();
    }
}
