package dev.sluice.proxy.call;

/// The connection that a call came on, as far as the call drives it. On the call's event loop.
public interface Client {
    /// Reads more of the request only while `wanted`.
    void read(boolean wanted);

    /// The call is over and its response, if one is due, is written.
    ///
    /// @param keepAlive whether another request may follow on the connection
    void ended(boolean keepAlive);

    /// Closes the connection at once: the client takes no bytes.
    void close();
}
