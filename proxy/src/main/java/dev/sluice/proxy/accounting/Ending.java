package dev.sluice.proxy.accounting;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.response.Outcome;

/// What a call's ending says of its pool, for the load report.
enum Ending {
    /// Served, or answered as its content deserved.
    COMPLETED,
    /// The upstream failed.
    FAILED,
    /// Refused for want of capacity, by Sluice or by the engine.
    SATURATED,
    /// The client left.
    CANCELLED,
    /// Refused for what it asked: says nothing about the pool.
    INVALID;

    static Ending of(Outcome outcome) {
        return switch (outcome) {
            case Outcome.Cancelled _ -> CANCELLED;
            case Outcome.Broken _ -> FAILED;
            case Outcome.Completed(int status) -> answered(status);
            case Outcome.Rejected(Refusal refusal) ->
                    refusal.status() == 503 || refusal.status() == 429 ? SATURATED : INVALID;
            case Outcome.Failed(Refusal _, AttemptResult last) ->
                    last == AttemptResult.OVERLOADED ? SATURATED : FAILED;
        };
    }

    private static Ending answered(int status) {
        if (status == 429 || status == 503) {
            return SATURATED;
        }
        return status >= 500 ? FAILED : COMPLETED;
    }
}
