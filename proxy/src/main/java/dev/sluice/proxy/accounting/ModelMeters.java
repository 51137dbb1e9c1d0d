package dev.sluice.proxy.accounting;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The histograms of one model under one interface of one pool. Any thread.
final class ModelMeters {
    static final Buckets.Scale DURATION =
            Buckets.Scale.seconds(
                    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96,
                    81.92, 163.84, 327.68, 655.36);
    static final Buckets.Scale TTFT =
            Buckets.Scale.seconds(
                    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5,
                    7.5, 10, 15, 20, 30, 60, 120);
    static final Buckets.Scale PER_TOKEN =
            Buckets.Scale.seconds(
                    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5);
    static final Buckets.Scale TOKENS =
            Buckets.Scale.ones(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576);

    final Map<CodeClass, Buckets> duration = new ConcurrentHashMap<>();
    final Buckets ttft = new Buckets(TTFT);
    final Buckets perToken = new Buckets(PER_TOKEN);
    final Buckets input = new Buckets(TOKENS);
    final Buckets output = new Buckets(TOKENS);

    void count(CallRecord call, CodeClass codeClass) {
        duration(codeClass).add(call.totalNanos());
        if (call.ttftNanos() >= 0) {
            ttft.add(call.ttftNanos());
            if (call.outputTokens() > 1 && call.request().stream()) {
                perToken.add((call.totalNanos() - call.ttftNanos()) / (call.outputTokens() - 1));
            }
        }
        if (!call.attempts().isEmpty()) {
            input.add(call.promptTokens());
            output.add(call.outputTokens());
        }
    }

    private Buckets duration(CodeClass codeClass) {
        Buckets buckets = duration.get(codeClass);
        return buckets != null
                ? buckets
                : duration.computeIfAbsent(codeClass, _ -> new Buckets(DURATION));
    }
}
