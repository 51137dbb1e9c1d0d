package dev.sluice.proxy.upstream;

import dev.sluice.proxy.http.BodyFraming;
import dev.sluice.proxy.http.ResponseHead;
import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.request.TraceContext;

import io.netty.buffer.ByteBuf;

import org.jspecify.annotations.Nullable;

/// Who asked for an exchange learns here how it goes. After {@link #ended} or {@link #failed}
/// nothing more comes; after {@link Exchange#cancel} neither. All on the exchange's event loop.
public interface ExchangeListener {
    /// The trace that the engine is to go on with; null to hand on what the client sent.
    @Nullable TraceContext trace();

    /// The request was written to a connection.
    void sent(boolean reused);

    /// The connection takes more of a streamed request body, or no longer does.
    void writable(boolean writable);

    /// The final response head; it stays readable until the exchange ends.
    void head(ResponseHead head);

    /// The buffer's framing follows: calls to {@link #sink}, then {@link #bufferRead}.
    void bufferBegins(ByteBuf in);

    /// Where framing events of the response body go.
    BodyFraming.Sink sink();

    /// All of this buffer's events were given. The listener takes the buffer's reference over.
    void bufferRead(ByteBuf in);

    /// Nothing more is to be read now: a good moment to flush.
    void readComplete();

    /// The whole response was read.
    void ended();

    /// @param responded whether any byte of a response had come
    void failed(AttemptResult result, boolean responded, String why);
}
