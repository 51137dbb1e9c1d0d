package dev.sluice.proxy.accounting;

import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.TraceContext;
import dev.sluice.proxy.response.Outcome;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.IdGenerator;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.samplers.Sampler;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// Turns the record of a call into spans: one of the call, and below it one of each attempt, whose
/// id the engine got as its parent. Names and attributes are OpenTelemetry's conventions for HTTP
/// and for generative AI where these have one, else `sluice.…`. One thread.
final class CallSpans {
    private static final AttributeKey<String> METHOD =
            AttributeKey.stringKey("http.request.method");
    private static final AttributeKey<String> PATH = AttributeKey.stringKey("url.path");
    private static final AttributeKey<Long> STATUS =
            AttributeKey.longKey("http.response.status_code");
    private static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");
    private static final AttributeKey<String> CLIENT = AttributeKey.stringKey("client.address");
    private static final AttributeKey<String> SERVER = AttributeKey.stringKey("server.address");
    private static final AttributeKey<Long> SERVER_PORT = AttributeKey.longKey("server.port");
    private static final AttributeKey<String> OPERATION =
            AttributeKey.stringKey("gen_ai.operation.name");
    private static final AttributeKey<String> MODEL =
            AttributeKey.stringKey("gen_ai.request.model");
    private static final AttributeKey<Long> MAX_TOKENS =
            AttributeKey.longKey("gen_ai.request.max_tokens");
    private static final AttributeKey<Long> INPUT =
            AttributeKey.longKey("gen_ai.usage.input_tokens");
    private static final AttributeKey<Long> OUTPUT =
            AttributeKey.longKey("gen_ai.usage.output_tokens");
    private static final AttributeKey<Double> TTFT =
            AttributeKey.doubleKey("gen_ai.server.time_to_first_token");
    private static final AttributeKey<String> REQUEST_ID =
            AttributeKey.stringKey("sluice.request_id");
    private static final AttributeKey<String> POOL = AttributeKey.stringKey("sluice.pool");
    private static final AttributeKey<String> CALLER = AttributeKey.stringKey("sluice.caller");
    private static final AttributeKey<String> REASON = AttributeKey.stringKey("sluice.reason");
    private static final AttributeKey<Double> QUEUED = AttributeKey.doubleKey("sluice.queue");
    private static final AttributeKey<Boolean> REUSED =
            AttributeKey.booleanKey("sluice.connection.reused");

    private final Given ids = new Given();
    private final Tracer tracer;

    /// Ids are given out before the span is made: the header with them has long gone to the engine.
    private static final class Given implements IdGenerator {
        String trace = "";
        String span = "";

        @Override
        public String generateTraceId() {
            return trace;
        }

        @Override
        public String generateSpanId() {
            return span;
        }
    }

    CallSpans(Resource resource) {
        this.tracer =
                SdkTracerProvider.builder()
                        .setResource(resource)
                        .setIdGenerator(ids)
                        .setSampler(Sampler.alwaysOn())
                        .build()
                        .get("sluice");
    }

    /// Adds the spans of a call that is in a trace.
    void add(CallRecord call, List<SpanData> to) {
        TraceContext trace = call.trace();
        if (trace == null || trace.span() == null) {
            return;
        }
        ids.trace = trace.traceId();
        long began = TimeUnit.MILLISECONDS.toNanos(call.startMs());
        to.add(call(call, trace, began));
        for (CallRecord.Attempt attempt : call.attempts()) {
            if (attempt.span() != null) {
                to.add(attempt(call, attempt, trace, began));
            }
        }
    }

    private SpanData call(CallRecord call, TraceContext trace, long began) {
        String operation = operation(call.request().api());
        String model = call.request().model();
        String name = model.isEmpty() ? operation : operation + " " + model;
        ids.span = String.valueOf(trace.span());
        Context parent =
                trace.parent() == null
                        ? Context.root()
                        : below(trace.traceId(), trace.parent(), true);
        Span span =
                tracer.spanBuilder(name)
                        .setParent(parent)
                        .setSpanKind(SpanKind.SERVER)
                        .setStartTimestamp(began, TimeUnit.NANOSECONDS)
                        .setAllAttributes(attributes(call, operation))
                        .startSpan();
        if (call.status() >= 500 || call.outcome() instanceof Outcome.Broken) {
            span.setStatus(StatusCode.ERROR, call.reason());
        }
        return ended(span, began + call.totalNanos());
    }

    private static Attributes attributes(CallRecord call, String operation) {
        var request = call.request();
        AttributesBuilder out =
                Attributes.builder()
                        .put(METHOD, call.method())
                        .put(PATH, call.path())
                        .put(OPERATION, operation)
                        .put(REQUEST_ID, request.id());
        text(out, MODEL, request.model());
        text(out, POOL, call.pool());
        text(out, CALLER, request.tenant());
        text(out, REASON, call.reason());
        if (call.client() instanceof InetSocketAddress inet && inet.getAddress() != null) {
            out.put(CLIENT, inet.getAddress().getHostAddress());
        }
        if (request.maxTokens() > 0) {
            out.put(MAX_TOKENS, (long) request.maxTokens());
        }
        if (call.status() > 0) {
            out.put(STATUS, (long) call.status());
        }
        if (call.usageReported()) {
            out.put(INPUT, (long) call.promptTokens()).put(OUTPUT, (long) call.outputTokens());
        }
        if (call.ttftNanos() >= 0) {
            out.put(TTFT, call.ttftNanos() / 1e9);
        }
        if (!call.pool().isEmpty()) {
            out.put(QUEUED, call.queueNanos() / 1e9);
        }
        text(out, ERROR, error(call));
        return out.build();
    }

    private SpanData attempt(
            CallRecord call, CallRecord.Attempt attempt, TraceContext trace, long began) {
        ids.span = String.valueOf(attempt.span());
        String host = attempt.endpoint();
        int colon = host.lastIndexOf(':');
        AttributesBuilder about =
                Attributes.builder()
                        .put(METHOD, call.method())
                        .put(SERVER, colon < 0 ? host : host.substring(0, colon))
                        .put(REUSED, attempt.reused());
        text(about, REASON, attempt.reason());
        if (colon >= 0 && host.substring(colon + 1).matches("[0-9]{1,5}")) {
            about.put(SERVER_PORT, Long.parseLong(host.substring(colon + 1)));
        }
        if (attempt.status() > 0) {
            about.put(STATUS, (long) attempt.status());
        }
        boolean good = !attempt.result().failure();
        if (!good) {
            about.put(ERROR, word(attempt.result()));
        }
        long start = began + attempt.startNanos() - call.startNanos();
        Span span =
                tracer.spanBuilder(call.method())
                        .setParent(below(trace.traceId(), String.valueOf(trace.span()), false))
                        .setSpanKind(SpanKind.CLIENT)
                        .setStartTimestamp(start, TimeUnit.NANOSECONDS)
                        .setAllAttributes(about.build())
                        .startSpan();
        if (!good) {
            span.setStatus(StatusCode.ERROR);
        }
        return ended(span, start + attempt.endNanos() - attempt.startNanos());
    }

    private static SpanData ended(Span span, long at) {
        span.end(at, TimeUnit.NANOSECONDS);
        return ((ReadableSpan) span).toSpanData();
    }

    private static Context below(String trace, String span, boolean remote) {
        SpanContext parent =
                remote
                        ? SpanContext.createFromRemoteParent(
                                trace, span, TraceFlags.getSampled(), TraceState.getDefault())
                        : SpanContext.create(
                                trace, span, TraceFlags.getSampled(), TraceState.getDefault());
        return Context.root().with(Span.wrap(parent));
    }

    /// The conventions' words for what is asked.
    private static String operation(Api api) {
        return switch (api) {
            case CHAT, MESSAGES, RESPONSES -> "chat";
            case COMPLETIONS -> "text_completion";
            case EMBEDDINGS -> "embeddings";
            case RERANK, SCORE, TOKENIZE, AUDIO, IMAGES, OTHER -> word(api);
        };
    }

    private static String error(CallRecord call) {
        return switch (call.outcome()) {
            case Outcome.Completed(int status) -> status >= 400 ? String.valueOf(status) : "";
            case Outcome.Cancelled _ -> "cancelled";
            case Outcome.Rejected(var refusal) -> refusal.code();
            case Outcome.Failed(var refusal, var _) -> refusal.code();
            case Outcome.Broken(var result) -> word(result);
        };
    }

    private static void text(AttributesBuilder to, AttributeKey<String> key, String value) {
        if (!value.isEmpty()) {
            to.put(key, value.length() <= 256 ? value : value.substring(0, 256));
        }
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
