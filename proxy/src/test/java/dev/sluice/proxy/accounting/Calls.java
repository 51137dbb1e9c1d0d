package dev.sluice.proxy.accounting;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.response.Outcome;

import java.util.List;

/// Records of calls as tests need them.
public final class Calls {
    private Calls() {}

    /// A streamed chat call that took 1 s, with its first token after 100 ms.
    public static CallRecord ok(String id, String model) {
        return of(id, model, "llama", new Outcome.Completed(200), 200, AttemptResult.OK);
    }

    public static CallRecord of(
            String id,
            String model,
            String pool,
            Outcome outcome,
            int status,
            AttemptResult result) {
        var attempt =
                new CallRecord.Attempt(
                        "10.0.0.1:8000",
                        "least_loaded load=3.0 of 4",
                        result,
                        status,
                        true,
                        0,
                        1_000_000_000,
                        null);
        return new CallRecord(
                new InferenceRequest(id, Api.CHAT, model, true, 2_000, 0, "", null),
                "POST",
                "/v1/chat/completions",
                pool,
                1_700_000_000_000L,
                0,
                null,
                null,
                outcome,
                status,
                List.of(attempt),
                2_000_000,
                status == 200 ? 100_000_000 : -1,
                1_000_000_000,
                150_000,
                500,
                true,
                31,
                2_000,
                9_000,
                attempt.reason());
    }
}
