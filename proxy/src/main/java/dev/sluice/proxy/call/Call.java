package dev.sluice.proxy.call;

import dev.sluice.proxy.accounting.CallRecord;
import dev.sluice.proxy.accounting.ClientMeters.Closed;
import dev.sluice.proxy.admission.Admission;
import dev.sluice.proxy.admission.Caller;
import dev.sluice.proxy.http.BodyFraming;
import dev.sluice.proxy.http.Field;
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
import dev.sluice.proxy.response.Outcome;
import dev.sluice.proxy.response.Outcome.Phase;
import dev.sluice.proxy.response.StreamTap;
import dev.sluice.proxy.routing.Dispatcher;
import dev.sluice.proxy.routing.Route;
import dev.sluice.proxy.routing.Router;
import dev.sluice.proxy.routing.Waiter;
import dev.sluice.proxy.upstream.Exchange;
import dev.sluice.proxy.upstream.ExchangeListener;

import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.EventExecutor;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.concurrent.TimeUnit;

/// One call, from its decoded head to its last byte. The stages are methods in the order of the
/// flow:
///
/// ```
/// begin -> body, bodyEnd -> route -> queue -> granted -> send -> head -> (body bytes) -> ended
/// ```
///
/// A stage that cannot go on ends the call with {@link #refuse}; an exchange that fails is judged
/// in {@link #failed}: again, elsewhere, or over. Whatever happens, {@link #finish} runs exactly
/// once: it gives the slot back, lets the body go and hands over the record.
///
/// Every method runs on the lane's event loop; fields are plain.
public final class Call implements Incoming, Waiter, ExchangeListener {
    /// Output tokens reserved for a call whose client gives no bound.
    private static final int USUAL_OUTPUT = 256;

    private final Lane lane;
    private final Terms terms;
    private final Client client;
    private final RequestHead head;
    private final String id;
    private final Api api;
    private final boolean json;
    private final RequestBody body;
    private final ClientResponse response;
    private final Timeline times;
    private final long startMillis;
    private final @Nullable TraceContext trace;
    private final Attempts attempts;
    private final Assignment assigned;

    private Phase phase = Phase.READING;
    private boolean over;
    private @Nullable Caller caller;
    private int promptTokens;
    private long expectedTokens;
    private InferenceRequest request;
    private @Nullable Exchange exchange;
    private @Nullable StreamTap tap;
    private @Nullable ResponseHead uncommitted;
    private Verdict verdict = Verdict.NONE;

    public Call(Lane lane, Client client, RequestHead head) {
        this.lane = lane;
        this.terms = lane.terms().get();
        this.client = client;
        this.head = head;
        this.id = RequestId.of(head);
        this.api = Api.of(head.path());
        this.json = isJson(head, api);
        this.body = new RequestBody(json, lane.bodies());
        this.response = client.response(api, terms.limits().headers());
        this.times = new Timeline(now());
        this.startMillis = lane.wallClock().getAsLong();
        this.trace = lane.tracing().begin(head);
        this.attempts = new Attempts(trace);
        this.assigned = new Assignment(lane.nanoClock(), times, attempts, terms.limits().headers());
        this.request = new InferenceRequest(id, api, "", false, 0, 0, "", null);
    }

    private static boolean isJson(RequestHead head, Api api) {
        if (api == Api.AUDIO || !head.hasBody()) {
            return false;
        }
        String type = head.fields().value(Field.CONTENT_TYPE);
        return type == null || !type.regionMatches(true, 0, "multipart/", 0, 10);
    }

    // ---- begin: may this call be served at all?

    /// Looks at the head. The body follows with {@link #body} and {@link #bodyEnd}.
    @Override
    public void begin() {
        assert lane.loop().inEventLoop();
        if (!head.path().startsWith("/v1/")) {
            refuse(Refusals.unknownPath(head.path()));
            return;
        }
        switch (terms.gate().admit(head, times.start())) {
            case Admission.Admitted(Caller admitted) -> caller = admitted;
            case Admission.Shed(Refusal refusal) -> {
                refuse(refusal);
                return;
            }
        }
        Refusal unfit = unfit();
        if (unfit != null) {
            refuse(unfit);
            return;
        }
        if (head.path().equals("/v1/models") || head.path().startsWith("/v1/models/")) {
            models();
            return;
        }
        if (head.fields().contentLength() > terms.limits().bodyLimit()) {
            refuse(Refusals.tooLarge(terms.limits().bodyLimit()));
        }
    }

    /// What stands against this call, now or at all, beside its caller.
    private @Nullable Refusal unfit() {
        Refusal full = caller == null ? null : lane.memory().refusal(caller.priority());
        if (full != null) {
            return full;
        }
        String coding = json ? head.fields().value(Field.CONTENT_ENCODING) : null;
        return coding == null || coding.equalsIgnoreCase("identity")
                ? null
                : Refusals.encoded(coding);
    }

    private void models() {
        if (!head.method().equals("GET") && !head.isHead()) {
            refuse(Refusals.askWithGet(head.path()));
            return;
        }
        switch (Models.answer(head.path(), terms.router(), startMillis)) {
            case Models.Document(String json) -> {
                response.answer(200, json, null, assigned.decision(id));
                finish(new Outcome.Completed(200));
            }
            case Models.Unknown(Refusal refusal) -> refuse(refusal);
        }
    }

    // ---- body: read it, and find in it what places the call

    /// Takes the reference of this part of the request's body over.
    @Override
    public void body(ByteBuf part) {
        if (over) {
            part.release();
            return;
        }
        if (body.size() + part.readableBytes() > terms.limits().bodyLimit()) {
            part.release();
            refuse(Refusals.tooLarge(terms.limits().bodyLimit()));
            return;
        }
        Exchange to = exchange;
        boolean streaming = to != null && (phase == Phase.WAITING || phase == Phase.STREAMING);
        if (!streaming && lane.bodies().full()) {
            part.release();
            refuse(Refusals.bodiesFull(lane.bodies().limit()));
            return;
        }
        Refusal problem = streaming ? body.pass(part) : body.append(part);
        if (problem != null) {
            if (streaming) {
                part.release();
            }
            refuse(problem);
            return;
        }
        if (streaming && to != null) {
            to.write(part);
            return;
        }
        if (body.kept() > terms.limits().replayLimit()) {
            if (phase == Phase.READING && body.scan().model() != null) {
                route();
            }
            if (phase == Phase.QUEUED || phase == Phase.CONNECTING) {
                client.read(false);
            }
        }
    }

    /// The body's framing is broken.
    @Override
    public void malformed(String why) {
        response.lastOnConnection();
        refuse(Refusals.malformed(why));
    }

    /// The body comes too slowly.
    @Override
    public void tooSlow(long bytesPerSecond) {
        lane.clients().closed(Closed.SLOW_BODY);
        response.lastOnConnection();
        refuse(Refusals.tooSlow(bytesPerSecond));
    }

    /// All of the request's body was given.
    @Override
    public void bodyEnd() {
        if (over) {
            return;
        }
        Refusal problem = body.complete();
        if (problem != null) {
            refuse(problem);
            return;
        }
        if (phase == Phase.READING) {
            route();
        } else if (exchange != null) {
            exchange.writeEnd();
        }
    }

    // ---- route: which pool?

    private void route() {
        times.ready(now());
        String asked = body.scan().model() == null ? "" : body.scan().model();
        // The body may have taken minutes: pools are those of now.
        Router router = lane.terms().get().router();
        String model = router.resolve(asked);
        if (!model.equals(asked)) {
            body.rename(model, client.alloc());
        }
        request =
                InferenceRequest.of(
                        id,
                        api,
                        model,
                        body.scan(),
                        body.size(),
                        caller == null ? "" : caller.name());
        promptTokens = lane.estimates().promptTokens(body.size());
        switch (router.route(model)) {
            case Route.To(Dispatcher to) -> {
                assigned.to(to);
                Refusal over = reserveTokens();
                if (over != null) {
                    refuse(over);
                } else {
                    queue();
                }
            }
            case Route.Nowhere(Refusal refusal) -> refuse(refusal);
        }
    }

    private @Nullable Refusal reserveTokens() {
        if (caller == null) {
            return null;
        }
        long expected =
                (long) promptTokens
                        + (request.maxTokens() > 0 ? request.maxTokens() : USUAL_OUTPUT);
        Refusal over = caller.tokens(expected, times.ready());
        expectedTokens = over == null ? expected : 0;
        return over;
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
        return assigned.deadline(totalNanos());
    }

    private long totalNanos() {
        return (request.stream() ? terms.limits().totalStream() : terms.limits().total()).toNanos();
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
        send(false);
    }

    // ---- send: one exchange

    private void send(boolean fresh) {
        Slot on = assigned.held();
        phase = Phase.CONNECTING;
        verdict = Verdict.NONE;
        uncommitted = null;
        attempts.begin(now());
        Exchange begun =
                lane.connections()
                        .begin(on.endpoint(), head, id, body, fresh || !body.isComplete(), this);
        if (assigned.holds(on) && !over) {
            exchange = begun;
        }
    }

    @Override
    public @Nullable TraceContext trace() {
        return attempts.trace();
    }

    @Override
    public void sent(boolean onPooled) {
        long now = now();
        attempts.sent(onPooled);
        times.sent(onPooled ? now : attempts.since(), now);
        phase = Phase.WAITING;
        if (!body.isComplete()) {
            body.release();
            client.read(true);
        }
    }

    @Override
    public void writable(boolean writable) {
        if (!body.isComplete()) {
            client.read(writable);
        }
    }

    // ---- head: take this response, or try elsewhere while the client has seen nothing?

    @Override
    public void head(ResponseHead answer) {
        verdict = Verdict.on(answer);
        AttemptResult result = verdict.result();
        Retry retry = attempts.after(result);
        if (retry != Retry.NONE && mayTryAgain(retry)) {
            abandon();
            again(retry, result, verdict.retryAfterNanos());
            return;
        }
        tap = new StreamTap(api, verdict.eventStream(), lane.tails());
        uncommitted = answer;
    }

    // ---- body bytes: relay them

    @Override
    public void bufferBegins(ByteBuf in) {
        long now = now();
        times.read(now);
        Slot on = assigned.slot();
        if (on != null) {
            on.progressed(now);
        }
        response.bufferBegins(now);
        if (uncommitted != null && in.isReadable()) {
            commit();
        }
    }

    private void commit() {
        ResponseHead answer = uncommitted;
        StreamTap watching = tap;
        if (answer == null || watching == null) {
            return;
        }
        uncommitted = null;
        phase = Phase.STREAMING;
        if (!body.isComplete()) {
            // The engine answers before it has read everything: what is left has nowhere to go.
            response.lastOnConnection();
        }
        response.commit(answer, assigned.decision(id), watching);
        body.release();
    }

    @Override
    public BodyFraming.Sink sink() {
        return response;
    }

    @Override
    public void bufferRead(ByteBuf in) {
        response.bufferRead(in);
        StreamTap watching = tap;
        if (watching != null
                && verdict.eventStream()
                && watching.contentSeen()
                && times.ttft() < 0) {
            assigned.held().firstByte(times.firstContent(watching.firstContentNanos()));
        }
    }

    @Override
    public void readComplete() {
        if (uncommitted != null) {
            return;
        }
        response.flush();
        if (!response.writable() && exchange != null) {
            exchange.read(false);
            times.stalled(now());
        }
    }

    /// The client's connection takes bytes again, or no longer does.
    @Override
    public void clientWritable(boolean writable) {
        if (exchange == null) {
            return;
        }
        if (writable) {
            times.flowing(now());
            exchange.read(true);
        }
    }

    // ---- ended: the whole response was read

    @Override
    public void ended() {
        if (uncommitted != null) {
            commit();
        }
        exchange = null;
        StreamTap watching = tap;
        if (watching != null
                && verdict.eventStream()
                && verdict.status() == 200
                && !watching.finished()) {
            breakOff(AttemptResult.TRUNCATED, "the endpoint ended the stream without its finish");
            return;
        }
        response.end();
        release(verdict.result(), verdict.retryAfterNanos());
        finish(new Outcome.Completed(verdict.status()));
    }

    // ---- failed: again, elsewhere, or over

    @Override
    public void failed(AttemptResult result, boolean responded, String why) {
        exchange = null;
        uncommitted = null;
        if (response.committed()) {
            breakOff(result, why);
            return;
        }
        Retry retry = attempts.after(result);
        if (retry != Retry.NONE && mayTryAgain(retry)) {
            again(retry, result, 0);
            return;
        }
        Endpoint endpoint = assigned.held().endpoint();
        release(result, 0);
        Refusal refusal =
                Refusals.failed(endpoint, result, why, attempts.made().size(), assigned.poolName());
        assigned.reason(refusal.code());
        response.refuse(refusal, assigned.decision(id));
        finish(new Outcome.Failed(refusal, result));
    }

    private boolean mayTryAgain(Retry retry) {
        if (body.size() > 0 && !body.replayable()) {
            return false;
        }
        return switch (retry) {
            case FRESH -> true;
            case REQUEUE -> assigned.mayWait(totalNanos());
            case ELSEWHERE ->
                    switch (assigned.another()) {
                        case YES -> true;
                        case NONE -> false;
                        case NO_BUDGET -> {
                            // Else the client's SDK would retry on its own.
                            response.adviseAgainstRetry();
                            yield false;
                        }
                    };
            case NONE -> false;
        };
    }

    private void again(Retry retry, AttemptResult result, long retryAfterNanos) {
        switch (retry) {
            case FRESH -> {
                assigned.note(result, verdict.status());
                send(true);
            }
            case ELSEWHERE -> {
                assigned.leaveEndpoint();
                release(result, 0);
                queue();
            }
            case REQUEUE -> {
                assigned.overloaded();
                release(result, retryAfterNanos);
                queue();
            }
            case NONE -> throw new IllegalStateException();
        }
    }

    private void abandon() {
        Exchange current = exchange;
        exchange = null;
        uncommitted = null;
        if (current != null) {
            current.cancel();
        }
    }

    private void breakOff(AttemptResult result, String why) {
        Endpoint endpoint = assigned.held().endpoint();
        release(result, 0);
        response.breakOff(Refusals.broken(endpoint, why), id, verdict.eventStream());
        assigned.reason("stream_broken");
        finish(new Outcome.Broken(result));
    }

    // ---- time, and clients that leave

    /// Looks at the deadlines; called a few times a second.
    @Override
    public void tick(long now) {
        if (over) {
            return;
        }
        CallConfig limits = terms.limits();
        long firstByte = request.stream() ? limits.firstByteNanos(promptTokens) : totalNanos();
        switch (times.overdue(phase, body.isComplete(), now, firstByte, totalNanos(), limits)) {
            case NOTHING -> {}
            case FIRST_BYTE ->
                    timeOut(
                            AttemptResult.FIRST_BYTE_TIMEOUT,
                            "no first byte within "
                                    + TimeUnit.NANOSECONDS.toMillis(firstByte)
                                    + " ms");
            case BETWEEN_CHUNKS ->
                    timeOut(
                            AttemptResult.STALLED,
                            "silent for " + limits.betweenChunks().toMillis() + " ms");
            case REQUEST -> {
                lane.clients().closed(Closed.LONG_BODY);
                response.lastOnConnection();
                refuse(Refusals.tooLong(limits.request()));
            }
            case CLIENT_STALL -> {
                lane.clients().closed(Closed.STALLED);
                client.close();
            }
            case TOTAL -> overTime();
        }
    }

    private void overTime() {
        String why = "the call took longer than " + totalNanos() / 1_000_000_000 + " s";
        if (phase == Phase.QUEUED) {
            refuse(Refusals.overTime(why));
            return;
        }
        timeOut(AttemptResult.STALLED, why);
    }

    private void timeOut(AttemptResult result, String why) {
        Exchange current = exchange;
        if (current != null) {
            current.cancel();
        }
        failed(result, false, why);
    }

    /// The client's connection is gone: nothing may run for it any longer.
    @Override
    public void clientGone() {
        if (over) {
            return;
        }
        Phase at = phase;
        assigned.leaveQueue(this);
        cancelExchange();
        finish(new Outcome.Cancelled(at));
    }

    /// The proxy stops and can wait no longer: the stream ends with an error.
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
        cancelExchange();
        response.breakOff(refusal, id, verdict.eventStream());
        assigned.reason(refusal.code());
        finish(new Outcome.Broken(AttemptResult.CLIENT_GONE));
    }

    /// The connection shall close after this call.
    @Override
    public void lastOnConnection() {
        if (!response.committed()) {
            response.lastOnConnection();
        }
    }

    // ---- the end

    private void refuse(Refusal refusal) {
        if (over) {
            return;
        }
        assigned.leaveQueue(this);
        boolean exchanged = assigned.used();
        cancelExchange();
        if (response.committed()) {
            // The engine answered early, and only then the rest of the request turned out wrong.
            response.breakOff(refusal, id, verdict.eventStream());
            assigned.reason(refusal.code());
            finish(new Outcome.Broken(AttemptResult.CLIENT_GONE));
            return;
        }
        if (!requestComplete()) {
            response.lastOnConnection();
        }
        assigned.reason(refusal.code());
        response.refuse(refusal, assigned.decision(id));
        finish(
                exchanged
                        ? new Outcome.Failed(refusal, attempts.last())
                        : new Outcome.Rejected(refusal));
    }

    private boolean requestComplete() {
        return body.isComplete() || !head.hasBody();
    }

    private void cancelExchange() {
        Exchange current = exchange;
        exchange = null;
        if (current != null) {
            current.cancel();
        }
        release(AttemptResult.CLIENT_GONE, 0);
    }

    /// Gives the slot back, if one is held.
    private void release(AttemptResult result, long retryAfterNanos) {
        Slot on = assigned.slot();
        StreamTap watching = tap;
        if (on != null && watching != null) {
            watching.readUsage();
            on.tokens(outputTokens(watching), verdict.eventStream() ? watching.spanNanos() : 0);
        }
        assigned.release(result, verdict.status(), retryAfterNanos);
    }

    private int outputTokens(StreamTap watching) {
        if (watching.outputTokens() >= 0) {
            return watching.outputTokens();
        }
        // The opening event and [DONE] carry no token.
        return verdict.eventStream() ? Math.max(0, watching.eventCount() - 2) : 0;
    }

    private long now() {
        return lane.nanoClock().getAsLong();
    }

    private void finish(Outcome outcome) {
        if (over) {
            return;
        }
        over = true;
        body.release();
        StreamTap watching = tap;
        boolean reported = watching != null && watching.promptTokens() >= 0;
        if (caller != null && expectedTokens > 0 && (reported || watching == null)) {
            long used =
                    watching == null ? 0 : (long) watching.promptTokens() + outputTokens(watching);
            caller.used(expectedTokens, used);
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
                                client.address(),
                                trace,
                                outcome,
                                response.status(),
                                attempts.made(),
                                times.queued(),
                                times.ttft(),
                                now() - times.start(),
                                times.overhead(),
                                reported && watching != null
                                        ? watching.promptTokens()
                                        : promptTokens,
                                reported,
                                watching == null ? 0 : outputTokens(watching),
                                body.size(),
                                response.bytesOut(),
                                assigned.reason()));
        if (watching != null) {
            watching.close();
        }
        client.ended(response.keepAlive() && requestComplete());
    }
}
