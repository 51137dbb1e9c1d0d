package dev.sluice.simulator.server;

import dev.sluice.simulator.replica.Sequence;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// One call that the engine works on: takes its tokens, writes them to its exchange, meets its
/// fault, and ends exactly once, by the last token, by the fault or because the client left.
final class Generation implements Sequence.Sink {
    /// How a generation ended.
    enum Ending {
        STOP,
        LENGTH,
        TOOL_CALLS,
        ABORTED,
        FAULT;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// A fault that will strike at a token.
    record Planned(Faults.Kind kind, int atToken) {}

    private final Exchange exchange;
    private final GenerationRequest request;
    private final Answer answer;
    private final Ending natural;
    private final Wording wording;
    private final @Nullable Planned fault;
    private final Engine engine;
    private final Ledger ledger;
    private final StringBuilder text = new StringBuilder();
    private final Sequence sequence;
    private final String id;

    private final long submittedNanos;
    private long startedNanos;
    private long firstTokenNanos;
    private long lastTokenNanos;

    Generation(
            Exchange exchange,
            GenerationRequest request,
            Answer answer,
            int tokens,
            String id,
            @Nullable Planned fault,
            Engine engine,
            Ledger ledger) {
        this.exchange = exchange;
        this.request = request;
        this.answer = answer;
        this.natural = ending(answer, tokens);
        this.id = id;
        this.fault = fault;
        this.engine = engine;
        this.ledger = ledger;
        this.wording =
                Wording.of(
                        request,
                        answer,
                        id,
                        ledger.epochSeconds(),
                        ledger.servedModel(),
                        natural.word());
        Prompt prompt = request.prompt();
        this.sequence = new Sequence(prompt.tokens(), tokens, prompt.prefix(), this);
        this.submittedNanos = engine.now();
    }

    /// Queues it; the head of a stream goes out at once, as vLLM sends it.
    void begin() {
        exchange.onClientLeft(this::clientLeft);
        ledger.metrics().submitted();
        if (request.stream()) {
            exchange.beginStream("text/event-stream; charset=utf-8");
        }
        engine.submit(sequence);
    }

    @Override
    public void started(Sequence self, long nowNanos) {
        startedNanos = nowNanos;
        ledger.metrics().started(nowNanos - submittedNanos);
    }

    @Override
    public void token(Sequence self, long nowNanos) {
        measure(nowNanos);
        if (fault != null && sequence.generated() >= fault.atToken()) {
            strike(fault.kind());
            return;
        }
        String piece = answer.piece(sequence.generated() - 1);
        if (request.stream()) {
            send(piece);
        } else {
            text.append(piece);
        }
        if (sequence.ended()) {
            finish();
        }
    }

    private void measure(long nowNanos) {
        EngineMetrics metrics = ledger.metrics();
        if (sequence.generated() == 1) {
            firstTokenNanos = nowNanos;
            metrics.firstToken(
                    sequence.promptTokens(), nowNanos - submittedNanos, nowNanos - startedNanos);
        } else {
            metrics.token(nowNanos - lastTokenNanos);
        }
        lastTokenNanos = nowNanos;
    }

    private void send(String piece) {
        if (sequence.generated() == 1 && wording.opening().length > 0) {
            exchange.chunk(wording.opening());
        }
        exchange.chunk(
                wording.before(),
                piece.getBytes(StandardCharsets.UTF_8),
                sequence.ended() ? wording.afterLast() : wording.after());
    }

    private void finish() {
        ledger.metrics()
                .finished(
                        natural == Ending.LENGTH ? "length" : "stop",
                        sequence.generated(),
                        lastTokenNanos - submittedNanos,
                        lastTokenNanos - firstTokenNanos);
        record(natural);
        String usage =
                Wording.usage(
                        sequence.promptTokens(), sequence.cachedTokens(), sequence.generated());
        if (request.stream()) {
            exchange.chunk(wording.ending(request, usage));
            exchange.endStream();
            return;
        }
        exchange.respond(
                200,
                "application/json",
                wording.whole(request, answer, text.toString(), natural.word(), usage),
                "");
    }

    private void strike(Faults.Kind kind) {
        ledger.metrics().faulted(true);
        if (kind == Faults.Kind.STALL) {
            engine.hold(sequence);
            return;
        }
        engine.abort(sequence);
        record(Ending.FAULT);
        boolean stream = request.stream();
        switch (kind) {
            case RESET -> exchange.reset();
            case TRUNCATE -> {
                if (!stream) {
                    exchange.garbage("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id\":");
                } else {
                    exchange.close();
                }
            }
            case GARBAGE -> {
                String head = stream ? "" : "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                exchange.garbage(head + "not a chunk size\r\n\u0000\u0001\r\n");
            }
            case ERROR, STATUS, REFUSE, HANG, CLOSE, STALL, UNHEALTHY ->
                    throw new IllegalStateException(kind + " does not strike in the middle");
        }
    }

    private void clientLeft() {
        if (sequence.ended()) {
            return;
        }
        engine.abort(sequence);
        ledger.metrics().aborted();
        record(Ending.ABORTED);
    }

    private void record(Ending ending) {
        ledger.add(
                new Ledger.Entry(
                        id,
                        exchange.path(),
                        request.stream(),
                        sequence.promptTokens(),
                        sequence.cachedTokens(),
                        sequence.generated(),
                        ending.word(),
                        firstTokenNanos == 0 ? null : (firstTokenNanos - submittedNanos) / 1e6,
                        (engine.now() - submittedNanos) / 1e6));
    }

    private static Ending ending(Answer answer, int tokens) {
        if (tokens < answer.naturalTokens()) {
            return Ending.LENGTH;
        }
        return switch (answer) {
            case Answer.Words _ -> Ending.STOP;
            case Answer.ToolCall _ -> Ending.TOOL_CALLS;
        };
    }
}
