package dev.sluice.proxy.call;

import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.response.ClientResponse;
import dev.sluice.proxy.response.Decision;

import io.netty.buffer.ByteBufAllocator;

import org.jspecify.annotations.Nullable;

import java.net.SocketAddress;

/// Where a call came from, as far as the call drives it: a connection, or one stream of it. On the
/// call's event loop.
public interface Client {
    /// Whose connection it is; null when that is not known.
    @Nullable SocketAddress address();

    /// Makes the response to the call that now begins.
    ClientResponse response(Api api, Decision.Detail detail);

    ByteBufAllocator alloc();

    /// Reads more of the request only while `wanted`.
    void read(boolean wanted);

    /// The call is over and its response, if one is due, is written.
    ///
    /// @param keepAlive whether another request may follow on the connection
    void ended(boolean keepAlive);

    /// Closes the connection or stream at once: the client takes no bytes.
    void close();
}
