package dev.sluice.proxy.response;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.request.Refusal;

/// How a call ended.
public sealed interface Outcome {

    /// The engine's whole response reached the client, whatever its status.
    record Completed(int status) implements Outcome {}

    /// The client left.
    record Cancelled(Phase phase) implements Outcome {}

    /// Sluice answered itself before any exchange began: bad input, limits, no capacity.
    record Rejected(Refusal refusal) implements Outcome {}

    /// Every exchange failed before a body byte went to the client; it got this error.
    record Failed(Refusal refusal, AttemptResult last) implements Outcome {}

    /// The exchange failed after body bytes had gone to the client; the stream ended with an error.
    record Broken(AttemptResult result) implements Outcome {}

    /// Where in its life a call was.
    enum Phase {
        READING,
        QUEUED,
        CONNECTING,
        WAITING,
        STREAMING
    }
}
