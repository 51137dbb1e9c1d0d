package dev.sluice.proxy.accounting;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Makes spans of calls and sends them in batches. One thread, which waits for the receiver: what
/// comes meanwhile stands in the queue before it.
///
/// Only this class and {@link CallSpans} touch OpenTelemetry: without `traces` in the configuration
/// nothing of it is loaded.
final class SpanExport implements Backlog.Work<CallRecord> {
    private static final int BATCH = 512;
    private static final long BATCH_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long TIMEOUT_SECONDS = 10;

    private final SpanExporter exporter;
    private final CallSpans spans;
    private final List<SpanData> batch = new ArrayList<>(BATCH);
    private int calls;
    private long begun;

    SpanExport(TracesConfig config, String version) {
        this.spans =
                new CallSpans(
                        Resource.getDefault()
                                .merge(
                                        Resource.create(
                                                Attributes.of(
                                                        AttributeKey.stringKey("service.name"),
                                                        config.service(),
                                                        AttributeKey.stringKey("service.version"),
                                                        version))));
        String base = config.endpoint().toString();
        this.exporter =
                OtlpHttpSpanExporter.builder()
                        .setEndpoint((base.endsWith("/") ? base : base + "/").concat("v1/traces"))
                        .setTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS)
                        .build();
    }

    @Override
    public void item(CallRecord call) throws IOException {
        if (batch.isEmpty()) {
            begun = System.nanoTime();
        }
        spans.add(call, batch);
        calls++;
        if (batch.size() >= BATCH) {
            send();
        }
    }

    @Override
    public void pause() throws IOException {
        if (!batch.isEmpty() && System.nanoTime() - begun >= BATCH_NANOS) {
            send();
        }
    }

    @Override
    public void end() throws IOException {
        try {
            if (!batch.isEmpty()) {
                send();
            }
        } finally {
            exporter.shutdown().join(1, TimeUnit.SECONDS);
        }
    }

    private void send() throws IOException {
        int size = batch.size();
        CompletableResultCode result = exporter.export(List.copyOf(batch));
        batch.clear();
        int lost = calls;
        calls = 0;
        result.join(TIMEOUT_SECONDS + 1, TimeUnit.SECONDS);
        if (!result.isSuccess()) {
            Throwable cause = result.getFailureThrowable();
            throw new Backlog.Lost(
                    lost, size + " spans were not taken: " + (cause == null ? "timeout" : cause));
        }
    }
}
