package dev.sluice.proxy.call;

import dev.sluice.proxy.accounting.CallRecord;
import dev.sluice.proxy.admission.Admission;
import dev.sluice.proxy.http.BodyFraming;
import dev.sluice.proxy.http.RequestHead;
import dev.sluice.proxy.http.ResponseHead;
import dev.sluice.proxy.http.Violation;
import dev.sluice.proxy.http.WebSocketFraming;
import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.Slot;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.request.RequestBody;
import dev.sluice.proxy.request.TraceContext;
import dev.sluice.proxy.response.ClientResponse;
import dev.sluice.proxy.response.Decision;
import dev.sluice.proxy.response.Http1Response;
import dev.sluice.proxy.response.Outcome;
import dev.sluice.proxy.response.Outcome.Phase;
import dev.sluice.proxy.routing.Dispatcher;
import dev.sluice.proxy.routing.Route;
import dev.sluice.proxy.routing.Waiter;
import dev.sluice.proxy.upstream.Exchange;
import dev.sluice.proxy.upstream.ExchangeListener;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.util.concurrent.EventExecutor;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/// One call that becomes a WebSocket: a {@link Call} up to the engine's 101, then two directions of
/// frames until one of the two sides closes. It holds its slot to the end.
///
/// ```
/// begin -> queue -> granted -> sent -> head -> (101: frames both ways) -> ended
/// ```
///
/// Frames pass as they came; {@link WebSocketHalf} keeps count of where they end, so that Sluice
/// can put a close frame of its own between two of them: when the proxy stops (1001), when the
/// engine dies (1011), when a side breaks the protocol (1002) or sends too much (1009).
///
/// Whatever happens, {@link #finish} runs exactly once. Event loop only.
public final class WebSocketCall implements Incoming, Waiter, ExchangeListener {
    /// From one side's close frame to the end of the connection.
    private static final long CLOSING_NANOS = TimeUnit.SECONDS.toNanos(5);

    /// A stopping proxy closes connections that have been silent for so long: between two answers
    /// rather than inside one.
    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final BodyFraming.Sink FRAMES =
            new BodyFraming.Sink() {
                @Override
                public void chunk(ByteBuf in, int start, int end, long size) {}

                @Override
                public void content(ByteBuf in, int start, int end) {}

                @Override
                public void chunkEnd(ByteBuf in, int start, int end) {}
            };

    private final Lane lane;
    private final Terms terms;
    private final Client client;
    private final Channel channel;
    private final RequestHead head;
    private final RequestBody body;
    private final ClientResponse response;
    private final Timeline times;
    private final long startMillis;
    private final @Nullable TraceContext trace;
    private final Attempts attempts;
    private InferenceRequest request;
    private boolean stopping;

    private Phase phase = Phase.READING;
    private boolean over;
    private @Nullable Dispatcher dispatcher;
    private @Nullable Slot slot;
    private @Nullable Exchange exchange;
    private Verdict verdict = Verdict.NONE;
    private String reason = "";
    private long overloadDeadline;

    private @Nullable WebSocketHalf up;
    private @Nullable WebSocketHalf down;
    private @Nullable Violation fault;
    private AttemptResult result = AttemptResult.OK;
    private int bufferStart;
    private long lastBytes;
    private long engineStalledSince;
    private long clientStalledSince;
    private long closeBy;

    /// @param stopping whether the proxy has begun to stop
    public WebSocketCall(
            Lane lane, Client client, Channel channel, RequestHead head, boolean stopping) {
        this.lane = lane;
        this.terms = lane.terms().get();
        this.client = client;
        this.channel = channel;
        this.head = head;
        this.stopping = stopping;
        this.body = new RequestBody(false, lane.bodies());
        this.trace = lane.tracing().begin(head);
        this.attempts = new Attempts(trace);
        this.times = new Timeline(now());
        this.startMillis = lane.wallClock().getAsLong();
        String id = RequestId.of(head);
        Api api = Api.of(head.path());
        String model = terms.router().resolve(WebSocketHandshake.model(head.query()));
        this.request = new InferenceRequest(id, api, model, false, 0, 0, "", null);
        this.response = new Http1Response(channel, head, api, false, terms.limits().headers());
        body.complete();
    }

    // ---- begin: may this call be served, and by which pool?

    @Override
    public void begin() {
        assert lane.loop().inEventLoop();
        Refusal problem = problem();
        if (problem != null) {
            refuse(problem);
            return;
        }
        switch (terms.gate().admit(head, times.start())) {
            case Admission.Admitted(var caller) -> {
                Refusal full = lane.memory().refusal(caller.priority());
                if (full != null) {
                    refuse(full);
                    return;
                }
                request =
                        new InferenceRequest(
                                request.id(),
                                request.api(),
                                request.model(),
                                false,
                                0,
                                0,
                                caller.name(),
                                null);
            }
            case Admission.Shed(Refusal refusal) -> {
                refuse(refusal);
                return;
            }
        }
        if (!request.model().equals(WebSocketHandshake.model(head.query()))) {
            head.replaceQuery(WebSocketHandshake.withModel(head.query(), request.model()));
        }
        switch (terms.router().route(request.model())) {
            case Route.To(Dispatcher to) -> {
                dispatcher = to;
                queue();
            }
            case Route.Nowhere(Refusal refusal) ->
                    refuse(request.model().isEmpty() ? Refusals.modelNotInQuery(refusal) : refusal);
        }
    }

    private @Nullable Refusal problem() {
        if (!head.path().startsWith("/v1/")) {
            return Refusals.unknownPath(head.path());
        }
        return stopping ? Refusals.shuttingDown() : WebSocketHandshake.problem(head);
    }

    // ---- queue: a slot, now or later

    private void queue() {
        phase = Phase.QUEUED;
        times.asked(now());
        Dispatcher to = dispatcher;
        if (to != null) {
            to.acquire(this);
        }
    }

    @Override
    public InferenceRequest request() {
        return request;
    }

    @Override
    public List<Endpoint> tried() {
        return attempts.tried();
    }

    @Override
    public EventExecutor loop() {
        return lane.loop();
    }

    @Override
    public long deadlineNanos() {
        return overloadDeadline != 0 ? overloadDeadline : times.start() + openNanos();
    }

    /// The longest that it may take to open.
    private long openNanos() {
        return terms.limits().total().toNanos();
    }

    @Override
    public void refused(Refusal refusal) {
        times.leftQueue(now());
        refuse(refusal);
    }

    @Override
    public void granted(Slot granted) {
        if (over) {
            granted.release(AttemptResult.CLIENT_GONE, 0);
            return;
        }
        slot = granted;
        times.granted(granted.queuedNanos());
        reason =
                terms.limits().headers() == Decision.Detail.FULL
                        ? granted.reason()
                        : granted.policy().label();
        phase = Phase.CONNECTING;
        verdict = Verdict.NONE;
        attempts.begin(now());
        Exchange begun =
                lane.connections().begin(granted.endpoint(), head, request.id(), body, true, this);
        if (slot == granted && !over) {
            exchange = begun;
        }
    }

    @Override
    public @Nullable TraceContext trace() {
        return attempts.trace();
    }

    @Override
    public void sent(boolean onPooled) {
        attempts.sent(onPooled);
        times.sent(attempts.since(), now());
        phase = Phase.WAITING;
    }

    // ---- head: 101, an answer like any other, or another endpoint

    @Override
    public void head(ResponseHead answer) {
        verdict = Verdict.on(answer);
        if (again(verdict.result(), verdict.retryAfterNanos())) {
            return;
        }
        phase = Phase.STREAMING;
        Slot on = held();
        response.commit(answer, decision(on), null);
        if (answer.status() != 101) {
            return;
        }
        boolean extensions = answer.fields().value("sec-websocket-extensions") != null;
        long maxMessage = limits().maxMessage();
        up = half(new WebSocketFraming(true, extensions, maxMessage));
        down = half(new WebSocketFraming(false, extensions, maxMessage));
        lastBytes = now();
        on.opened();
    }

    private WebSocketHalf half(WebSocketFraming framing) {
        return new WebSocketHalf(framing, channel.alloc());
    }

    // ---- frames, from the client

    @Override
    public void body(ByteBuf part) {
        WebSocketHalf half = up;
        Exchange to = exchange;
        if (over || half == null || to == null) {
            part.release();
            refuse(Refusals.webSocket(400, "bytes after it, before it was answered"));
            return;
        }
        lastBytes = now();
        ByteBuf pass = half.pass(part);
        if (pass != null) {
            to.write(pass);
        }
        Violation wrong = half.violation();
        if (wrong != null && fault == null) {
            clientBroke(wrong);
        } else if (half.closed()) {
            closeSoon();
        }
    }

    /// What came before the fault has gone to the engine, and its answers still reach the client;
    /// the engine is told to close, and its own close frame then ends the connection.
    private void clientBroke(Violation wrong) {
        fault = wrong;
        reason = "websocket_fault";
        result = AttemptResult.CLIENT_ERROR;
        if (closeEngine(wrong.status(), wrong.message())) {
            closeSoon();
        } else {
            leave(wrong.status(), wrong.message());
        }
    }

    @Override
    public void writable(boolean writable) {
        engineStalledSince = writable ? 0 : now();
        client.read(writable);
    }

    // ---- frames, from the engine

    @Override
    public void bufferBegins(ByteBuf in) {
        lastBytes = now();
        times.read(lastBytes);
        bufferStart = in.readerIndex();
        if (down == null) {
            response.bufferBegins(lastBytes);
        }
    }

    @Override
    public BodyFraming.Sink sink() {
        return down == null ? response : FRAMES;
    }

    @Override
    public void bufferRead(ByteBuf in) {
        WebSocketHalf half = down;
        if (half == null) {
            response.bufferRead(in);
            return;
        }
        boolean before = half.closed();
        ByteBuf pass = half.pass(in.readerIndex(bufferStart));
        if (pass != null) {
            channel.write(pass, channel.voidPromise());
        }
        Violation wrong = half.violation();
        if (wrong != null) {
            engineBroke(wrong);
        } else if (half.closed() && !before) {
            if (closeBy == 0) {
                result = onClose(half.closeCode());
            }
            closeSoon();
        }
    }

    /// What it says of the engine that it closes with this code, unasked.
    private static AttemptResult onClose(int code) {
        return switch (code) {
            case WebSocketFraming.INTERNAL_ERROR -> AttemptResult.SERVER_ERROR;
            case WebSocketFraming.TRY_AGAIN_LATER -> AttemptResult.OVERLOADED;
            default -> AttemptResult.OK;
        };
    }

    private void engineBroke(Violation wrong) {
        closeEngine(wrong.status(), wrong.message());
        boolean tooBig = wrong.status() == WebSocketFraming.TOO_BIG;
        engineFailed(
                tooBig ? AttemptResult.CLIENT_ERROR : AttemptResult.PROTOCOL_ERROR,
                tooBig ? WebSocketFraming.TOO_BIG : WebSocketFraming.INTERNAL_ERROR,
                "the endpoint sent " + wrong.message());
    }

    @Override
    public void readComplete() {
        channel.flush();
        if (!channel.isWritable() && exchange != null) {
            exchange.read(false);
            clientStalledSince = now();
            times.stalled(clientStalledSince);
        }
    }

    @Override
    public void clientWritable(boolean writable) {
        if (writable && exchange != null) {
            clientStalledSince = 0;
            times.flowing(now());
            exchange.read(true);
        }
    }

    // ---- the engine's connection ends

    @Override
    public void ended() {
        exchange = null;
        if (down == null) {
            response.end();
            release(verdict.result(), verdict.retryAfterNanos());
            finish(new Outcome.Completed(verdict.status()));
        } else if (closeBy != 0) {
            closed();
        } else {
            engineFailed(
                    AttemptResult.TRUNCATED,
                    WebSocketFraming.INTERNAL_ERROR,
                    "the endpoint closed the connection without a close frame");
        }
    }

    @Override
    public void failed(AttemptResult how, boolean responded, String why) {
        exchange = null;
        if (response.committed()) {
            engineFailed(how, WebSocketFraming.INTERNAL_ERROR, why);
            return;
        }
        if (again(how, 0)) {
            return;
        }
        Endpoint endpoint = held().endpoint();
        release(how, 0);
        Refusal refusal = Refusals.failed(endpoint, how, why, attempts.made().size(), poolName());
        reason = refusal.code();
        response.refuse(refusal, decision(null));
        finish(new Outcome.Failed(refusal, how));
    }

    private void engineFailed(AttemptResult how, int code, String why) {
        closeClient(code, why);
        cancelExchange();
        reason = "stream_broken";
        release(how, 0);
        finish(new Outcome.Broken(how));
    }

    /// Tries elsewhere, as long as the client has seen nothing.
    private boolean again(AttemptResult how, long retryAfterNanos) {
        Dispatcher to = dispatcher;
        if (to == null) {
            return false;
        }
        boolean allowed =
                switch (attempts.after(how)) {
                    case ELSEWHERE -> {
                        int members = to.pool().snapshot().members().size();
                        boolean another = attempts.tried().size() + 1 < members && to.mayRetry();
                        if (another) {
                            attempts.leave(held().endpoint());
                        }
                        yield another;
                    }
                    case REQUEUE -> {
                        if (overloadDeadline == 0) {
                            overloadDeadline =
                                    now() + to.pool().config().queue().deadline().toNanos();
                        }
                        yield now() < times.start() + openNanos();
                    }
                    // Each exchange has a connection of its own, so none is stale.
                    case FRESH, NONE -> false;
                };
        if (allowed) {
            cancelExchange();
            release(how, retryAfterNanos);
            queue();
        }
        return allowed;
    }

    // ---- time, drain, and clients that leave

    @Override
    public void tick(long now) {
        if (over) {
            return;
        }
        if (down == null) {
            tickUnopened(now);
            return;
        }
        long stall = terms.limits().clientStall().toNanos();
        if (closeBy != 0 && now - closeBy > 0) {
            closed();
        } else if (clientStalledSince != 0 && now - clientStalledSince > stall) {
            client.close();
        } else if (engineStalledSince != 0 && now - engineStalledSince > stall) {
            engineFailed(
                    AttemptResult.STALLED,
                    WebSocketFraming.INTERNAL_ERROR,
                    "the endpoint takes no bytes");
        } else if (now - lastBytes > limits().idle().toNanos()) {
            reason = "idle_timeout";
            leave(WebSocketFraming.GOING_AWAY, "idle for " + limits().idle().toSeconds() + " s");
        } else if (now - times.start() > limits().total().toNanos()) {
            reason = "total_timeout";
            leave(WebSocketFraming.GOING_AWAY, "open for " + limits().total().toSeconds() + " s");
        } else if (stopping && now - lastBytes > QUIET_NANOS) {
            reason = "shutting_down";
            leave(WebSocketFraming.GOING_AWAY, "the proxy is shutting down");
        }
    }

    private void tickUnopened(long now) {
        CallConfig config = terms.limits();
        long firstByte = config.firstByteNanos(0);
        switch (times.overdue(phase, true, now, firstByte, openNanos(), config)) {
            // A handshake has no body that could be late.
            case NOTHING, REQUEST -> {}
            case FIRST_BYTE ->
                    timeOut(
                            AttemptResult.FIRST_BYTE_TIMEOUT,
                            "no answer to the handshake within " + firstByte / 1_000_000 + " ms");
            case BETWEEN_CHUNKS ->
                    timeOut(
                            AttemptResult.STALLED,
                            "silent for " + config.betweenChunks().toMillis() + " ms");
            case CLIENT_STALL -> client.close();
            case TOTAL -> {
                String why = "opening took longer than " + config.total().toSeconds() + " s";
                if (phase == Phase.QUEUED) {
                    refuse(Refusals.overTime(why));
                } else {
                    timeOut(AttemptResult.STALLED, why);
                }
            }
        }
    }

    private void timeOut(AttemptResult how, String why) {
        cancelExchange();
        failed(how, false, why);
    }

    @Override
    public void clientGone() {
        if (over) {
            return;
        }
        if (closeBy != 0) {
            closed();
            return;
        }
        if (phase == Phase.QUEUED && dispatcher != null) {
            times.leftQueue(now());
            dispatcher.cancel(this);
        }
        closeEngine(WebSocketFraming.GOING_AWAY, "the client is gone");
        cancelExchange();
        release(AttemptResult.CLIENT_GONE, 0);
        finish(new Outcome.Cancelled(phase));
    }

    @Override
    public void lastOnConnection() {
        stopping = true;
    }

    @Override
    public void abort() {
        if (over) {
            return;
        }
        Refusal refusal = Refusals.shuttingDown();
        if (!response.committed()) {
            refuse(refusal);
            return;
        }
        closeClient(WebSocketFraming.GOING_AWAY, "the proxy is shutting down");
        closeEngine(WebSocketFraming.GOING_AWAY, "the proxy is shutting down");
        cancelExchange();
        release(AttemptResult.CLIENT_GONE, 0);
        reason = refusal.code();
        finish(new Outcome.Broken(AttemptResult.CLIENT_GONE));
    }

    // ---- the end

    /// Closes both sides, of Sluice's own accord.
    private void leave(int code, String why) {
        closeClient(code, why);
        closeEngine(code, why);
        closed();
    }

    /// The close handshake is through, or took too long.
    private void closed() {
        Violation wrong = fault;
        closeClient(
                wrong == null ? WebSocketFraming.NORMAL : wrong.status(),
                wrong == null ? "" : wrong.message());
        cancelExchange();
        release(result, 0);
        finish(new Outcome.Completed(101));
    }

    private void closeSoon() {
        if (closeBy == 0) {
            closeBy = now() + CLOSING_NANOS;
        }
    }

    private void closeClient(int code, String why) {
        WebSocketHalf half = down;
        ByteBuf frame = half == null ? null : half.close(code, why, 0);
        if (frame != null) {
            channel.write(frame, channel.voidPromise());
        }
    }

    /// @return whether a close frame has gone to the engine
    private boolean closeEngine(int code, String why) {
        WebSocketHalf half = up;
        Exchange to = exchange;
        if (half == null || to == null) {
            return false;
        }
        ByteBuf frame = half.close(code, why, ThreadLocalRandom.current().nextInt());
        if (frame != null) {
            to.write(frame);
        }
        return half.closed();
    }

    private void refuse(Refusal refusal) {
        if (over) {
            return;
        }
        if (phase == Phase.QUEUED && dispatcher != null) {
            dispatcher.cancel(this);
        }
        boolean exchanged = !attempts.made().isEmpty() || slot != null;
        cancelExchange();
        release(AttemptResult.CLIENT_GONE, 0);
        reason = refusal.code();
        if (response.committed()) {
            // Bytes behind an answer that is no 101: there is nothing that they could belong to.
            response.breakOff(refusal, request.id(), false);
            finish(new Outcome.Broken(AttemptResult.CLIENT_GONE));
            return;
        }
        response.refuse(refusal, decision(null));
        finish(
                exchanged
                        ? new Outcome.Failed(refusal, attempts.last())
                        : new Outcome.Rejected(refusal));
    }

    private void cancelExchange() {
        Exchange current = exchange;
        exchange = null;
        if (current != null) {
            current.cancel();
        }
    }

    /// Gives the slot back, if one is held.
    private void release(AttemptResult how, long retryAfterNanos) {
        Slot on = slot;
        if (on == null) {
            return;
        }
        slot = null;
        attempts.note(on, reason, how, verdict.status(), now());
        on.release(how, retryAfterNanos);
    }

    private Slot held() {
        Slot on = slot;
        if (on == null) {
            throw new IllegalStateException("no slot in " + phase);
        }
        return on;
    }

    private Decision decision(@Nullable Slot on) {
        return new Decision(
                request.id(),
                on == null ? null : on.endpoint().url(),
                attempts.made().size() + (on == null ? 0 : 1),
                times.queued() / 1_000_000,
                reason.isEmpty() ? null : reason);
    }

    private WebSocketConfig limits() {
        return terms.limits().webSocket();
    }

    private long now() {
        return lane.nanoClock().getAsLong();
    }

    private String poolName() {
        return dispatcher == null ? "" : dispatcher.pool().name();
    }

    private void finish(Outcome outcome) {
        if (over) {
            return;
        }
        over = true;
        WebSocketHalf fromClient = up;
        WebSocketHalf fromEngine = down;
        if (fromClient != null && fromEngine != null) {
            fromClient.release();
            fromEngine.release();
        }
        lane.observer()
                .ended(
                        new CallRecord(
                                request,
                                head.method(),
                                head.path(),
                                poolName(),
                                startMillis,
                                times.start(),
                                channel.remoteAddress(),
                                trace,
                                outcome,
                                response.status(),
                                attempts.made(),
                                times.queued(),
                                times.ttft(),
                                now() - times.start(),
                                times.overhead(),
                                0,
                                false,
                                0,
                                fromClient == null ? 0 : fromClient.bytes(),
                                response.bytesOut() + (fromEngine == null ? 0 : fromEngine.bytes()),
                                reason));
        client.ended(false);
    }

    // ---- what a call with a body hears of

    /// The body of a handshake is the connection, and ends with it.
    @Override
    public void bodyEnd() {}

    @Override
    public void malformed(String why) {}

    /// Silence is no slowness here.
    @Override
    public void tooSlow(long bytesPerSecond) {}
}
