package dev.sluice.proxy.accounting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.request.TraceContext;
import dev.sluice.proxy.response.Outcome;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

class StoredCallTest {
    private static final Refusal BUSY =
            Refusal.capacity(
                    "queue_full", "Zu viel: 429 ≥ 12 \uD83D\uDE80", Duration.ofMillis(1_500));

    static Stream<CallRecord> records() {
        return Stream.of(
                        new Outcome.Completed(200),
                        new Outcome.Cancelled(Outcome.Phase.STREAMING),
                        new Outcome.Rejected(BUSY),
                        new Outcome.Rejected(Refusal.invalid(400, "c", "no model", "model")),
                        new Outcome.Failed(BUSY, AttemptResult.RESET),
                        new Outcome.Broken(AttemptResult.TRUNCATED))
                .flatMap(
                        outcome ->
                                Stream.of(
                                        record(outcome, 0, null),
                                        record(outcome, 1, "alice"),
                                        record(outcome, 9, "x".repeat(3_000))));
    }

    private static CallRecord record(Outcome outcome, int attempts, @Nullable String affinity) {
        return new CallRecord(
                new InferenceRequest("id-1", Api.CHAT, "模型", true, 12, 34, "team", affinity),
                "POST",
                "/v1/chat/completions",
                "llama",
                1_234_567_890_123L,
                77,
                null,
                attempts == 0
                        ? null
                        : new TraceContext("a".repeat(32), affinity, "b".repeat(16), true),
                outcome,
                200,
                IntStream.range(0, attempts).mapToObj(StoredCallTest::attempt).toList(),
                1,
                -1,
                3,
                4,
                5,
                true,
                6,
                7,
                8,
                "least_loaded load=2");
    }

    private static CallRecord.Attempt attempt(int i) {
        return new CallRecord.Attempt(
                "10.0.0." + i + ":80",
                "why",
                i % 2 == 0 ? AttemptResult.RESET : AttemptResult.OK,
                502,
                i % 2 == 0,
                i,
                -i,
                i % 2 == 0 ? null : "c".repeat(16));
    }

    @ParameterizedTest
    @MethodSource("records")
    void givesBackWhatItWasGiven(CallRecord record) {
        var place = new StoredCall();
        place.write(record(new Outcome.Rejected(BUSY), 9, "before"));
        place.write(record);
        assertEquals(record, place.read());
        assertEquals(record, place.read());
    }

    @Test
    void hasNothingBeforeTheFirst() {
        assertNull(new StoredCall().read());
    }

    @Test
    void isOverwrittenByTheNext() {
        var place = new StoredCall();
        records().forEach(place::write);
        CallRecord last = record(new Outcome.Completed(204), 0, null);
        place.write(last);
        assertEquals(last, place.read());
        assertEquals(List.of(), last.attempts());
    }
}
