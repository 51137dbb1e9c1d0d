package dev.sluice.proxy.accounting;

import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.response.Outcome;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;

/// The counts of one pool. Any thread.
final class PoolMeters {
    /// What stands for every model that the pool does not serve.
    static final String OTHER = "other";

    /// Finer than the published one, so that a percentile of the last minute is good to 5 %: from 1
    /// ms to 128 s in steps of a tenth.
    static final Buckets.Scale FINE_TTFT = fine();

    /// More models than this under one pool all count as {@link #OTHER}.
    private static final int MOST_MODELS = 500;

    static final Buckets.Scale OVERHEAD =
            Buckets.Scale.seconds(
                    0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 1);
    static final Buckets.Scale QUEUE_WAIT =
            Buckets.Scale.seconds(
                    0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300);

    final Map<CodeClass, LongAdder> requests = Adders.of(CodeClass.class);
    final Map<Ending, LongAdder> endings = Adders.of(Ending.class);
    final Map<String, LongAdder> refusals = new ConcurrentHashMap<>();
    final Buckets overhead = new Buckets(OVERHEAD);
    final Buckets queueWait = new Buckets(QUEUE_WAIT);
    final Buckets ttft = new Buckets(FINE_TTFT);
    final LongAdder promptTokens = new LongAdder();
    final LongAdder outputTokens = new LongAdder();
    final Map<String, Map<Api, ModelMeters>> models = new ConcurrentHashMap<>();
    private final Predicate<String> serves;

    /// @param serves whether a model may stand in a label
    PoolMeters(Predicate<String> serves) {
        this.serves = serves;
    }

    void count(CallRecord call) {
        CodeClass codeClass = CodeClass.of(call);
        Adders.get(requests, codeClass).increment();
        Adders.get(endings, Ending.of(call.outcome())).increment();
        if (call.outcome() instanceof Outcome.Rejected(var refusal)) {
            refusals.computeIfAbsent(refusal.code(), _ -> new LongAdder()).increment();
        } else if (call.outcome() instanceof Outcome.Failed(var refusal, var _)) {
            refusals.computeIfAbsent(refusal.code(), _ -> new LongAdder()).increment();
        }
        model(call).count(call, codeClass);
        if (!call.attempts().isEmpty()) {
            queueWait.add(call.queueNanos());
            overhead.add(call.overheadNanos());
            promptTokens.add(call.promptTokens());
            outputTokens.add(call.outputTokens());
        }
        if (call.ttftNanos() >= 0) {
            ttft.add(call.ttftNanos());
        }
    }

    long ended(Ending ending) {
        return Adders.get(endings, ending).sum();
    }

    private ModelMeters model(CallRecord call) {
        String model = call.request().model();
        Map<Api, ModelMeters> byApi = models.get(model);
        if (byApi == null) {
            String label = models.size() < MOST_MODELS && serves.test(model) ? model : OTHER;
            byApi = models.computeIfAbsent(label, _ -> new ConcurrentHashMap<>());
        }
        Api api = call.request().api();
        ModelMeters meters = byApi.get(api);
        return meters != null ? meters : byApi.computeIfAbsent(api, _ -> new ModelMeters());
    }

    private static Buckets.Scale fine() {
        double[] bounds = new double[124];
        for (int i = 0; i < bounds.length; i++) {
            bounds[i] = 0.001 * Math.pow(1.1, i);
        }
        return Buckets.Scale.seconds(bounds);
    }
}
