package dev.sluice.proxy.response;

import dev.sluice.proxy.http.BodyFraming;
import dev.sluice.proxy.http.Fields;
import dev.sluice.proxy.http.ResponseHead;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.Refusal;

import io.netty.buffer.ByteBuf;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

/// The response to one call, in the form that the client's version of HTTP wants. The status is
/// committed once; after that the engine's bytes follow.
///
/// Event loop only.
public abstract sealed class ClientResponse implements BodyFraming.Sink
        permits Http1Response, Http2Response {
    final Decision.Detail detail;
    final boolean headOnly;
    final Api api;
    boolean committed;
    boolean noRetry;
    int status;
    long bytesOut;
    long now;
    @Nullable StreamTap tap;

    /// @param headOnly whether the request was a HEAD
    ClientResponse(boolean headOnly, Api api, Decision.Detail detail) {
        this.headOnly = headOnly;
        this.api = api;
        this.detail = detail;
    }

    /// Whether the status went out, so that nothing can be taken back.
    public final boolean committed() {
        return committed;
    }

    /// What the client got; 0 before.
    public final int status() {
        return status;
    }

    public final long bytesOut() {
        return bytesOut;
    }

    /// Tells the client's SDK not to retry by itself.
    public final void adviseAgainstRetry() {
        noRetry = true;
    }

    /// Answers with an error of Sluice's own.
    public final void refuse(Refusal refusal, Decision decision) {
        answer(
                refusal.status(),
                ErrorBody.of(refusal, api, decision.requestId()),
                refusal.retryAfter(),
                decision);
    }

    /// Answers with a JSON document of Sluice's own.
    public abstract void answer(
            int code, String json, @Nullable Duration retryAfter, Decision decision);

    static long retryAfterMillis(Duration wait) {
        return Math.max(1, wait.toMillis());
    }

    /// Rounded up: who comes back before the time is refused again.
    static long retryAfterSeconds(Duration wait) {
        return Math.ceilDiv(retryAfterMillis(wait), 1000);
    }

    /// Commits the engine's status and head.
    ///
    /// @param streamTap watches the body; null when nobody needs to
    public abstract void commit(
            ResponseHead head, Decision decision, @Nullable StreamTap streamTap);

    /// Framing events of one buffer follow.
    public abstract void bufferBegins(long nowNanos);

    /// The buffer's events were all given; takes its reference over and writes what of it goes out.
    public abstract void bufferRead(ByteBuf in);

    public abstract void flush();

    /// Ends the body as the client expects it.
    public abstract void end();

    /// Tells the client, as far as HTTP still allows, that the response is broken, and makes sure
    /// that it cannot be taken for complete: an event stream gets an error event and no `[DONE]`.
    public abstract void breakOff(Refusal refusal, String requestId, boolean eventStream);

    /// Whether the client takes more bytes now.
    public abstract boolean writable();

    /// Whether the connection may carry another request after this response.
    public abstract boolean keepAlive();

    /// Closes the connection at the end of this response, where it carries one call at a time.
    public abstract void lastOnConnection();

    /// What an event stream ends with when it broke.
    final byte[] errorEvent(Refusal refusal, String requestId) {
        String event =
                (tap == null || tap.betweenEvents() ? "" : "\n\n")
                        + (api == Api.MESSAGES ? "event: error\n" : "")
                        + "data: "
                        + ErrorBody.of(refusal, api, requestId)
                        + "\n\n";
        return event.getBytes(StandardCharsets.UTF_8);
    }

    /// Whether this field of the engine's head goes to the client as it is.
    static boolean forwarded(Fields fields, int i) {
        return switch (fields.kind(i)) {
            case CONTENT_LENGTH,
                    TRANSFER_ENCODING,
                    CONNECTION,
                    KEEP_ALIVE,
                    PROXY_CONNECTION,
                    PROXY_AUTHENTICATE,
                    TE,
                    TRAILER,
                    UPGRADE,
                    HTTP2_SETTINGS,
                    REQUEST_ID,
                    SLUICE ->
                    false;
            case OTHER,
                    HOST,
                    PROXY_AUTHORIZATION,
                    EXPECT,
                    AUTHORIZATION,
                    API_KEY,
                    AZURE_API_KEY,
                    COOKIE,
                    CONTENT_TYPE,
                    CONTENT_ENCODING,
                    RETRY_AFTER,
                    FORWARDED,
                    X_FORWARDED ->
                    !fields.nominated(i);
        };
    }
}
