package dev.sluice.proxy.call;

import io.netty.buffer.ByteBuf;

/// What a client connection feeds with the bytes of one request, until {@link Client#ended}. On the
/// lane's event loop.
public sealed interface Incoming permits Call, WebSocketCall {
    /// Looks at the head. The body follows with {@link #body} and {@link #bodyEnd}.
    void begin();

    /// Takes the reference of this part of the request's body over.
    void body(ByteBuf part);

    /// All of the request's body was given.
    void bodyEnd();

    /// The body's framing is broken.
    void malformed(String why);

    /// The body comes too slowly.
    void tooSlow(long bytesPerSecond);

    /// Looks at the deadlines; called a few times a second.
    void tick(long now);

    /// The client's connection takes bytes again, or no longer does.
    void clientWritable(boolean writable);

    /// The client's connection is gone: nothing may run for it any longer.
    void clientGone();

    /// The proxy stops, or the connection is to end soon: nothing may follow this call.
    void lastOnConnection();

    /// The proxy stops and can wait no longer.
    void abort();
}
