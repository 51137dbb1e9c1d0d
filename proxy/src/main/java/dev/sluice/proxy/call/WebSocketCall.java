package dev.sluice.proxy.call;

import dev.sluice.proxy.accounting.CallRecord;
import dev.sluice.proxy.admission.Admission;
import dev.sluice.proxy.http.BodyFraming;
import dev.sluice.proxy.http.RequestHead;
import dev.sluice.proxy.http.ResponseHead;
import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.Slot;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.request.RequestBody;
import dev.sluice.proxy.request.TraceContext;
import dev.sluice.proxy.response.ClientResponse;
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

/// One call that becomes a WebSocket: a {@link Call} up to the engine's 101, then a {@link
/// WebSocketRelay} until one of the two sides closes. It holds its slot to the end.
///
/// ```
/// begin -> queue -> granted -> sent -> head -> (101: frames both ways) -> ended
/// ```
///
/// Whatever happens, {@link #finish} runs exactly once. Event loop only.
public final class WebSocketCall implements Incoming, Waiter, ExchangeListener {
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
    private final Assignment assigned;
    private InferenceRequest request;
    private boolean stopping;

    private Phase phase = Phase.READING;
    private boolean over;
    private @Nullable Exchange exchange;
    private Verdict verdict = Verdict.NONE;

    private @Nullable WebSocketRelay relay;
    private int bufferStart;

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
        this.assigned = new Assignment(lane.nanoClock(), times, attempts, terms.limits().headers());
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
                assigned.to(to);
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
        assigned.await(this);
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
        return assigned.deadline(openNanos());
    }

    /// The longest that it may take to open.
    private long openNanos() {
        return terms.limits().total().toNanos();
    }

    @Override
    public void refused(Refusal refusal) {
        assigned.turnedAway();
        refuse(refusal);
    }

    @Override
    public void granted(Slot granted) {
        if (over) {
            granted.release(AttemptResult.CLIENT_GONE, 0);
            return;
        }
        assigned.take(granted);
        phase = Phase.CONNECTING;
        verdict = Verdict.NONE;
        attempts.begin(now());
        Exchange begun =
                lane.connections().begin(granted.endpoint(), head, request.id(), body, true, this);
        if (assigned.holds(granted) && !over) {
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
        response.commit(answer, assigned.decision(request.id()), null);
        if (answer.status() != 101) {
            return;
        }
        Exchange engine = exchange;
        if (engine != null) {
            long stall = terms.limits().clientStall().toNanos();
            WebSocketConfig limits = terms.limits().webSocket();
            relay = new WebSocketRelay(client, channel, engine, answer, limits, stall, now());
            assigned.held().opened();
        }
    }

    // ---- open: frames both ways

    @Override
    public void body(ByteBuf part) {
        WebSocketRelay open = relay;
        if (over || open == null) {
            part.release();
            refuse(Refusals.webSocket(400, "bytes after it, before it was answered"));
            return;
        }
        end(open.fromClient(part, now()));
    }

    @Override
    public void writable(boolean writable) {
        WebSocketRelay open = relay;
        if (open == null) {
            client.read(writable);
        } else {
            open.engineWritable(writable, now());
        }
    }

    @Override
    public void bufferBegins(ByteBuf in) {
        long now = now();
        times.read(now);
        bufferStart = in.readerIndex();
        WebSocketRelay open = relay;
        if (open == null) {
            response.bufferBegins(now);
        } else {
            open.active(now);
        }
    }

    @Override
    public BodyFraming.Sink sink() {
        return relay == null ? response : FRAMES;
    }

    @Override
    public void bufferRead(ByteBuf in) {
        WebSocketRelay open = relay;
        if (open == null) {
            response.bufferRead(in);
        } else {
            end(open.fromEngine(in.readerIndex(bufferStart), now()));
        }
    }

    @Override
    public void readComplete() {
        channel.flush();
        Exchange from = exchange;
        if (from != null && !channel.isWritable()) {
            from.read(false);
            clientTakes(false);
        }
    }

    @Override
    public void clientWritable(boolean writable) {
        Exchange from = exchange;
        if (from != null && writable) {
            clientTakes(true);
            from.read(true);
        }
    }

    private void clientTakes(boolean more) {
        long now = now();
        if (more) {
            times.flowing(now);
        } else {
            times.stalled(now);
        }
        if (relay != null) {
            relay.clientWritable(more, now);
        }
    }

    // ---- the engine's connection ends

    @Override
    public void ended() {
        exchange = null;
        WebSocketRelay open = relay;
        if (open == null) {
            response.end();
            release(verdict.result(), verdict.retryAfterNanos());
            finish(new Outcome.Completed(verdict.status()));
        } else {
            end(open.engineEnded());
        }
    }

    @Override
    public void failed(AttemptResult how, boolean responded, String why) {
        exchange = null;
        WebSocketRelay open = relay;
        if (open != null) {
            end(open.engineFailed(how, why));
            return;
        }
        if (response.committed()) {
            release(how, 0);
            assigned.reason("stream_broken");
            finish(new Outcome.Broken(how));
            return;
        }
        if (again(how, 0)) {
            return;
        }
        Endpoint endpoint = assigned.held().endpoint();
        release(how, 0);
        Refusal refusal =
                Refusals.failed(endpoint, how, why, attempts.made().size(), assigned.poolName());
        assigned.reason(refusal.code());
        response.refuse(refusal, assigned.decision(request.id()));
        finish(new Outcome.Failed(refusal, how));
    }

    /// Tries elsewhere, as long as the client has seen nothing.
    private boolean again(AttemptResult how, long retryAfterNanos) {
        boolean allowed =
                switch (attempts.after(how)) {
                    case ELSEWHERE -> {
                        boolean another = assigned.another() == Assignment.Another.YES;
                        if (another) {
                            assigned.leaveEndpoint();
                        }
                        yield another;
                    }
                    case REQUEUE -> {
                        assigned.overloaded();
                        yield assigned.mayWait(openNanos());
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
        WebSocketRelay open = relay;
        if (open == null) {
            tickUnopened(now);
        } else {
            end(open.tick(now, times.start(), stopping));
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
        WebSocketRelay open = relay;
        WebSocketRelay.End end = open == null ? null : open.clientGone();
        if (end != null) {
            end(end);
            return;
        }
        assigned.leaveQueue(this);
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
        if (relay != null) {
            relay.abort();
        }
        cancelExchange();
        release(AttemptResult.CLIENT_GONE, 0);
        assigned.reason(refusal.code());
        finish(new Outcome.Broken(AttemptResult.CLIENT_GONE));
    }

    // ---- the end

    /// @param how null while the WebSocket goes on
    private void end(WebSocketRelay.@Nullable End how) {
        if (how == null || over) {
            return;
        }
        cancelExchange();
        release(how.result(), 0);
        if (!how.reason().isEmpty()) {
            assigned.reason(how.reason());
        }
        finish(how.broken() ? new Outcome.Broken(how.result()) : new Outcome.Completed(101));
    }

    private void refuse(Refusal refusal) {
        if (over) {
            return;
        }
        assigned.leaveQueue(this);
        boolean exchanged = assigned.used();
        cancelExchange();
        release(AttemptResult.CLIENT_GONE, 0);
        assigned.reason(refusal.code());
        if (response.committed()) {
            // Bytes behind an answer that is no 101: there is nothing that they could belong to.
            response.breakOff(refusal, request.id(), false);
            finish(new Outcome.Broken(AttemptResult.CLIENT_GONE));
            return;
        }
        response.refuse(refusal, assigned.decision(request.id()));
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

    private void release(AttemptResult how, long retryAfterNanos) {
        assigned.release(how, verdict.status(), retryAfterNanos);
    }

    private long now() {
        return lane.nanoClock().getAsLong();
    }

    private void finish(Outcome outcome) {
        if (over) {
            return;
        }
        over = true;
        WebSocketRelay opened = relay;
        if (opened != null) {
            opened.release();
        }
        lane.observer()
                .ended(
                        new CallRecord(
                                request,
                                head.method(),
                                head.path(),
                                assigned.poolName(),
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
                                opened == null ? 0 : opened.bytesIn(),
                                response.bytesOut() + (opened == null ? 0 : opened.bytesOut()),
                                assigned.reason()));
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
