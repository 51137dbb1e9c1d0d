package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;

import dev.sluice.proxy.accounting.Traces;
import dev.sluice.proxy.accounting.TracesConfig;
import dev.sluice.proxy.request.Tracing;

import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.Span;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

/// Traces, from the header that comes in to the spans that a receiver of OTLP decodes.
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class TracesFlowTest {
    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String PARENT = "b7ad6b7169203331";
    private static final String CALL = "{\"model\":\"m\",\"max_tokens\":7}";

    private final Origin origin = new Origin();
    private final Origin other = new Origin();
    private final List<ResourceSpans> received = new CopyOnWriteArrayList<>();
    private final HttpServer receiver =
            HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    private volatile int answer = 200;
    private Rig rig;

    TracesFlowTest() throws IOException {
        receiver.createContext(
                "/v1/traces",
                exchange -> {
                    assertThat(exchange.getRequestHeaders().getFirst("content-type"))
                            .isEqualTo("application/x-protobuf");
                    var request = ExportTraceServiceRequest.parseFrom(exchange.getRequestBody());
                    if (answer == 200) {
                        received.addAll(request.getResourceSpansList());
                    }
                    exchange.sendResponseHeaders(answer, -1);
                    exchange.close();
                });
        receiver.start();
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        origin.close();
        other.close();
        receiver.stop(0);
    }

    private Traces traces(double sample) {
        var address = URI.create("http://127.0.0.1:" + receiver.getAddress().getPort());
        return new Traces(new TracesConfig(address, sample, "sluice"), "1.2.3", new Random(7));
    }

    private static String request(String fields) {
        return "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: "
                + CALL.length()
                + "\r\n"
                + fields
                + "\r\n"
                + CALL;
    }

    @Test
    void passesTheHeadersUntouchedWithoutAReceiver() throws IOException {
        rig = Rig.traced(Tracing.OFF, "", "", origin);
        String odd = "00-" + TRACE + "-" + PARENT + "-ff";
        rig.client().send(request("Traceparent: " + odd + "\r\ntracestate: a=b, c=d\r\n")).read();
        assertThat(origin.calls().getFirst().header("traceparent")).isEqualTo(odd);
        assertThat(origin.calls().getFirst().header("tracestate")).isEqualTo("a=b, c=d");
        rig.settled(1);
    }

    @Test
    void putsTheCallAndEachAttemptIntoTheCallersTrace() throws IOException {
        var traces = traces(0);
        rig = Rig.traced(traces.sampler(), "", "", origin, other);
        origin.on("HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n");
        other.on(
                "HTTP/1.1 200 OK\r\nContent-Length: 52\r\n\r\n"
                        + "{\"usage\":{\"prompt_tokens\": 3,\"completion_tokens\": 4}}");
        String parent = "00-" + TRACE + "-" + PARENT + "-01";
        // The first or the second call meets the endpoint that is down, and goes on elsewhere.
        RawClient client = rig.client();
        for (int i = 0; i < 2; i++) {
            client.send(request("traceparent: " + parent + "\r\ntracestate: a=b\r\n"));
            assertThat(client.read().status()).isEqualTo(200);
        }
        rig.settled(2).forEach(traces::ended);
        traces.close();
        assertThat(traces.dropped()).isZero();
        assertThat(attributes(received.getFirst().getResource().getAttributesList()))
                .containsEntry("service.name", "sluice")
                .containsEntry("service.version", "1.2.3");
        Map<Span.SpanKind, List<Span>> spans =
                spans().stream().collect(Collectors.groupingBy(Span::getKind));
        List<Span> calls = spans.get(Span.SpanKind.SPAN_KIND_SERVER);
        List<Span> attempts = spans.get(Span.SpanKind.SPAN_KIND_CLIENT);
        assertThat(calls).hasSize(2);
        assertThat(attempts).hasSizeGreaterThan(2).hasSameSizeAs(told());
        assertThat(spans()).allMatch(span -> hex(span.getTraceId()).equals(TRACE));
        assertThat(calls).allMatch(span -> hex(span.getParentSpanId()).equals(PARENT));
        assertThat(calls).allMatch(span -> span.getName().equals("chat m"));
        assertThat(attributes(calls.getFirst().getAttributesList()))
                .containsEntry("gen_ai.operation.name", "chat")
                .containsEntry("gen_ai.request.model", "m")
                .containsEntry("gen_ai.request.max_tokens", "7")
                .containsEntry("gen_ai.usage.input_tokens", "3")
                .containsEntry("gen_ai.usage.output_tokens", "4")
                .containsEntry("http.response.status_code", "200")
                .containsEntry("client.address", "127.0.0.1")
                .containsEntry("sluice.pool", "p");
        for (Span attempt : attempts) {
            Span call =
                    calls.stream()
                            .filter(c -> c.getSpanId().equals(attempt.getParentSpanId()))
                            .findFirst()
                            .orElseThrow();
            assertThat(attempt.getStartTimeUnixNano())
                    .isBetween(call.getStartTimeUnixNano(), call.getEndTimeUnixNano());
            assertThat(attempt.getEndTimeUnixNano())
                    .isBetween(attempt.getStartTimeUnixNano(), call.getEndTimeUnixNano());
        }
        // What the engines were told is what the receiver was told.
        assertThat(
                        attempts.stream()
                                .map(span -> "00-" + TRACE + "-" + hex(span.getSpanId()) + "-01"))
                .containsExactlyInAnyOrderElementsOf(told());
        assertThat(origin.calls().getFirst().header("tracestate")).isEqualTo("a=b");
    }

    private List<String> told() {
        return java.util.stream.Stream.of(origin, other)
                .flatMap(o -> o.calls().stream())
                .map(call -> call.header("traceparent"))
                .toList();
    }

    @Test
    void followsACallerThatDoesNotSample() throws IOException {
        var traces = traces(1);
        rig = Rig.traced(traces.sampler(), "", "", origin);
        rig.client().send(request("traceparent: 00-" + TRACE + "-" + PARENT + "-00\r\n")).read();
        rig.settled(1).forEach(traces::ended);
        traces.close();
        assertThat(received).isEmpty();
        assertThat(origin.calls().getFirst().header("traceparent"))
                .startsWith("00-" + TRACE)
                .endsWith("-00");
    }

    @Test
    void beginsATraceWhereTheHeaderIsMissingOrBroken() throws IOException {
        var traces = traces(1);
        rig = Rig.traced(traces.sampler(), "", "", origin);
        RawClient client = rig.client();
        client.send(request("traceparent: 00-zz-zz-01\r\ntracestate: of=nobody\r\n")).read();
        client.send(request("")).read();
        rig.settled(2).forEach(traces::ended);
        traces.close();
        assertThat(spans()).hasSize(4);
        assertThat(spans().stream().map(Span::getTraceId).distinct()).hasSize(2);
        assertThat(spans().stream().filter(span -> span.getParentSpanId().isEmpty())).hasSize(2);
        assertThat(origin.calls().getFirst().header("tracestate")).isNull();
        assertThat(origin.calls().getFirst().header("traceparent"))
                .matches("00-[0-9a-f]{32}-[0-9a-f]{16}-01");
    }

    @Test
    void countsWhatTheReceiverDoesNotTake() throws IOException {
        answer = 400;
        var traces = traces(1);
        rig = Rig.traced(traces.sampler(), "", "", origin);
        assertThat(rig.client().send(request("")).read().status()).isEqualTo(200);
        rig.settled(1).forEach(traces::ended);
        await().until(() -> traces.dropped() == 1);
        traces.close();
    }

    private List<Span> spans() {
        return received.stream()
                .flatMap(resource -> resource.getScopeSpansList().stream())
                .flatMap(scope -> scope.getSpansList().stream())
                .toList();
    }

    private static String hex(com.google.protobuf.ByteString id) {
        return HexFormat.of().formatHex(id.toByteArray());
    }

    private static Map<String, String> attributes(List<KeyValue> attributes) {
        return attributes.stream()
                .collect(Collectors.toMap(KeyValue::getKey, a -> text(a.getValue())));
    }

    private static String text(AnyValue value) {
        return value.hasIntValue() ? String.valueOf(value.getIntValue()) : value.getStringValue();
    }
}
