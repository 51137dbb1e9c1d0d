package dev.sluice.proxy.listener;

import dev.sluice.proxy.call.Call;
import dev.sluice.proxy.call.Client;
import dev.sluice.proxy.call.Lane;
import dev.sluice.proxy.http.RequestHead;
import dev.sluice.proxy.http.Violation;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.response.ClientResponse;
import dev.sluice.proxy.response.Decision;
import dev.sluice.proxy.response.Http2Response;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;

import org.jspecify.annotations.Nullable;

import java.net.SocketAddress;
import java.util.concurrent.TimeUnit;

/// One HTTP/2 stream of a client: its request goes to a {@link Call}, whose response goes back on
/// it. The request body's window is given back only as the call takes the bytes.
final class StreamClient implements Client, Http2Response.Stream {
    /// How long after its answer the rest of a request is still read and dropped.
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Http2Session session;
    private final Http2Stream stream;
    private final ListenerConfig config;
    private final Lane lane;
    private final RequestHead head;
    private final long begun;

    private @Nullable Call call;
    private @Nullable Http2Response response;
    private boolean requestEnded;
    private boolean served;
    private boolean endWritten;
    private boolean reading = true;
    private boolean closed;
    private int unconsumed;
    private long overSince;
    private long rateSince;
    private long rateBytes;

    StreamClient(
            Http2Session session,
            Http2Stream stream,
            ListenerConfig config,
            Lane lane,
            RequestHead head) {
        this.session = session;
        this.stream = stream;
        this.config = config;
        this.lane = lane;
        this.head = head;
        this.begun = now();
        this.rateSince = begun;
    }

    /// @param end whether no body follows
    void begin(boolean end) {
        var next = new Call(lane, this, head);
        call = next;
        session.connected().callBegun();
        next.begin();
        if (end) {
            requestEnd();
        } else if (call == next && head.expectsContinue()) {
            session.sendContinue(stream.id());
        }
    }

    void refuse(Violation v, boolean end) {
        requestEnded = end;
        var answer = new Http2Response(this, head, Api.OTHER, Decision.Detail.MINIMAL);
        answer.refuse(
                Refusal.invalid(
                        v.status(), "malformed_request", "Bad request: " + v.message() + ".", null),
                new Decision("rejected", null, 0, 0, null));
        overSince = now();
    }

    /// @param padding bytes that count for the window as well
    /// @return how many bytes of the window can be given back at once
    int body(ByteBuf part, int padding, boolean end) {
        int size = part.readableBytes() + padding;
        rateBytes += size;
        Call current = call;
        if (current == null) {
            requestEnded |= end;
            return size;
        }
        if (part.isReadable()) {
            current.body(part.retain());
        }
        if (end) {
            requestEnd();
        }
        if (reading || call == null) {
            return size;
        }
        unconsumed += size;
        return 0;
    }

    /// The request came to its end, by DATA or by trailers, which are dropped.
    void requestEnd() {
        requestEnded = true;
        if (call != null) {
            call.bodyEnd();
        }
    }

    // ---- what the call drives

    @Override
    public @Nullable SocketAddress address() {
        return session.address();
    }

    @Override
    public ClientResponse response(Api api, Decision.Detail detail) {
        var made = new Http2Response(this, head, api, detail);
        response = made;
        return made;
    }

    @Override
    public ByteBufAllocator alloc() {
        return session.alloc();
    }

    @Override
    public void read(boolean wanted) {
        if (wanted && !reading) {
            rateSince = now();
            rateBytes = 0;
        }
        reading = wanted;
        if (wanted) {
            giveBack();
        }
    }

    private void giveBack() {
        int bytes = unconsumed;
        unconsumed = 0;
        if (bytes > 0 && !closed) {
            session.consumed(stream, bytes);
        }
    }

    @Override
    public void ended(boolean keepAlive) {
        call = null;
        overSince = now();
        giveBack();
        session.connected().callEnded();
        session.callEnded(head);
    }

    @Override
    public void close() {
        session.reset(stream, Http2Error.CANCEL);
    }

    // ---- what the response drives

    @Override
    public void headers(Http2Headers headers, boolean end) {
        endWritten |= end;
        if (headers.status().charAt(0) == '2') {
            served = true;
            session.earn(Patience.SERVED);
        }
        session.write(stream.id(), headers, end);
    }

    @Override
    public void content(ByteBuf content, boolean end) {
        endWritten |= end;
        if (served) {
            session.earn(Patience.DATA);
        }
        session.write(stream.id(), content, end);
    }

    @Override
    public void flush() {
        session.flushSoon();
    }

    @Override
    public void breakOff() {
        endWritten = true;
        session.breakOff(stream);
    }

    @Override
    public boolean writable() {
        return session.writable(stream);
    }

    // ---- what the stream tells

    void writabilityChanged() {
        if (call != null) {
            call.clientWritable(session.writable(stream));
        }
    }

    /// Whether it began less than this long ago.
    boolean younger(long nanos) {
        return now() - begun < nanos;
    }

    /// Whether the head of a 2xx was written.
    boolean served() {
        return served;
    }

    /// The stream is closed: by both ends in turn, or reset by either, or with its connection.
    void closed() {
        closed = true;
        if (response != null) {
            response.gone();
        }
        Call current = call;
        if (current != null && !endWritten) {
            current.clientGone();
        }
    }

    void abort() {
        if (call != null) {
            call.abort();
        }
    }

    void tick(long now) {
        Call current = call;
        if (current == null) {
            linger(now);
            return;
        }
        if (!requestEnded && reading && now - rateSince >= config.head().toNanos()) {
            long seconds = Math.max(1, TimeUnit.NANOSECONDS.toSeconds(now - rateSince));
            if (rateBytes < config.minBodyRate() * seconds) {
                current.tooSlow(config.minBodyRate());
                return;
            }
            rateSince = now;
            rateBytes = 0;
        }
        current.tick(now);
    }

    /// The answer is written; what is missing is the client's.
    private void linger(long now) {
        long stall = lane.terms().get().limits().clientStall().toNanos();
        if (!requestEnded && !session.pending(stream) && now - overSince > LINGER_NANOS) {
            session.reset(stream, Http2Error.NO_ERROR);
        } else if (now - overSince > stall) {
            session.reset(stream, Http2Error.CANCEL);
        }
    }

    private long now() {
        return lane.nanoClock().getAsLong();
    }
}
