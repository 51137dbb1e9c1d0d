package dev.sluice.proxy.upstream;

import dev.sluice.proxy.http.RequestHead;
import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.request.RequestBody;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;

import org.jspecify.annotations.Nullable;

/// One attempt on one endpoint: connects if no idle connection is there, sends the request, and
/// reports the response. Event loop only.
public final class Exchange {
    private final Endpoint endpoint;
    private final RequestHead head;
    private final String requestId;
    private final RequestBody body;
    private final ExchangeListener listener;
    private @Nullable Connection connection;
    private @Nullable Channel connecting;
    private boolean over;

    Exchange(
            Endpoint endpoint,
            RequestHead head,
            String requestId,
            RequestBody body,
            ExchangeListener listener) {
        this.endpoint = endpoint;
        this.head = head;
        this.requestId = requestId;
        this.body = body;
        this.listener = listener;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    RequestHead head() {
        return head;
    }

    String requestId() {
        return requestId;
    }

    RequestBody body() {
        return body;
    }

    ExchangeListener listener() {
        return listener;
    }

    boolean isOver() {
        return over;
    }

    void over() {
        over = true;
        connection = null;
        connecting = null;
    }

    /// A connection is being made for it.
    void connecting(Channel channel) {
        connecting = channel;
    }

    void on(Connection connection) {
        connecting = null;
        this.connection = connection;
    }

    void fail(AttemptResult result, boolean responded, String why) {
        if (over) {
            return;
        }
        over();
        listener.failed(result, responded, why);
    }

    /// Ends the exchange where it stands and closes its connection, so that the engine stops. The
    /// listener hears nothing more.
    public void cancel() {
        if (over) {
            return;
        }
        Connection on = connection;
        Channel attempt = connecting;
        over();
        if (on != null) {
            on.close();
        } else if (attempt != null) {
            attempt.close();
        }
    }

    /// Sends more of a body that is streamed, and takes the reference over.
    public void write(ByteBuf content) {
        if (connection == null) {
            content.release();
            return;
        }
        connection.writeChunk(content);
    }

    /// Ends a streamed body.
    public void writeEnd() {
        if (connection != null) {
            connection.writeLastChunk();
        }
    }

    /// Reads the response only while `wanted`.
    public void read(boolean wanted) {
        if (connection != null) {
            connection.autoRead(wanted);
        }
    }
}
