package dev.sluice.proxy.admin;

import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.routing.Choice.Because;
import dev.sluice.proxy.routing.Dispatcher;
import dev.sluice.proxy.routing.Forecast;
import dev.sluice.proxy.routing.QueueView;

import org.jspecify.annotations.Nullable;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/// What would become of a call that came now. Keys, their limits and the memory guard are not
/// asked.
///
/// @param verdict one sentence
/// @param asked the model as the request names it; empty when it names none
/// @param model the same after aliases
/// @param promptTokens estimated from the size of the body
/// @param maxTokens null when it bounds none
/// @param pool null when none serves the model, as the next
/// @param rule what decides
/// @param refusal what Sluice would answer; null when it would place the call or let it wait
/// @param candidates likeliest first, then those that could be picked, then those left out
record Explanation(
        String verdict,
        String api,
        String asked,
        String model,
        boolean stream,
        int promptTokens,
        @Nullable Integer maxTokens,
        @Nullable String pool,
        @Nullable String policy,
        @Nullable String rule,
        @Nullable Queue queue,
        @Nullable Refused refusal,
        List<Candidate> candidates) {

    /// @param predictedWaitMs null before any was measured
    record Queue(int waiting, int depth, @Nullable Long predictedWaitMs) {
        static Queue of(Dispatcher dispatcher) {
            QueueView now = dispatcher.queue();
            return new Queue(
                    now.waiting(),
                    dispatcher.pool().config().queue().depth(),
                    now.predictedWait() == null ? null : now.predictedWait().toMillis());
        }
    }

    record Refused(int status, String code, String message) {}

    /// @param leftOut why it cannot be picked, in a word; null when it can
    /// @param why the same with its numbers
    /// @param cap null without one
    /// @param load what the call would queue behind
    /// @param ttftMs null before any was seen
    /// @param score what the policy compares; null where it compares nothing or knows too little
    /// @param share of calls that would go there now, 0 to 1
    record Candidate(
            String endpoint,
            String state,
            @Nullable String leftOut,
            @Nullable String why,
            int inFlight,
            @Nullable Integer cap,
            double load,
            double weight,
            @Nullable Double ttftMs,
            @Nullable Double score,
            double share) {

        static Candidate of(Forecast.Standing standing) {
            Member member = standing.member();
            double ttft = member.endpoint().ttftNanos();
            return new Candidate(
                    member.endpoint().id(),
                    member.health().label(),
                    standing.leftOut() == null ? null : standing.leftOut().reason(),
                    standing.leftOut() == null ? null : standing.leftOut().detail(),
                    member.endpoint().inFlight(),
                    member.cap() == Integer.MAX_VALUE ? null : member.cap(),
                    standing.load(),
                    member.weight(),
                    ttft <= 0 ? null : ttft / 1e6,
                    standing.leftOut() == null ? standing.score() : null,
                    standing.share());
        }
    }

    static Explanation refused(
            InferenceRequest request, String asked, int promptTokens, Refusal refusal) {
        return new Explanation(
                "Sluice would answer " + refusal.status() + ": " + refusal.message(),
                request.api().name().toLowerCase(Locale.ROOT),
                asked,
                request.model(),
                request.stream(),
                promptTokens,
                bound(request),
                null,
                null,
                null,
                null,
                new Refused(refusal.status(), refusal.code(), refusal.message()),
                List.of());
    }

    static Explanation placed(
            InferenceRequest request, String asked, int promptTokens, Dispatcher dispatcher) {
        Forecast forecast = dispatcher.forecast(request);
        Queue queue = Queue.of(dispatcher);
        List<Candidate> candidates =
                forecast.standings().stream()
                        .map(Candidate::of)
                        .sorted(
                                Comparator.comparingDouble((Candidate c) -> -c.share)
                                        .thenComparing(c -> c.leftOut != null))
                        .toList();
        return new Explanation(
                verdict(forecast.nobody(), queue, candidates),
                request.api().name().toLowerCase(Locale.ROOT),
                asked,
                request.model(),
                request.stream(),
                promptTokens,
                bound(request),
                dispatcher.pool().name(),
                forecast.policy().label(),
                forecast.rule(),
                queue,
                null,
                candidates);
    }

    private static @Nullable Integer bound(InferenceRequest request) {
        return request.maxTokens() == 0 ? null : request.maxTokens();
    }

    private static String verdict(
            @Nullable Because nobody, Queue queue, List<Candidate> candidates) {
        if (nobody != null) {
            return "It would wait: "
                    + switch (nobody) {
                        case EMPTY -> "the pool has no endpoint";
                        case MODEL -> "no endpoint of the pool serves the model";
                        case HEALTH -> "no endpoint takes calls";
                        case BUSY -> "every endpoint that could serve it is busy";
                        case TRIED -> "every endpoint was tried";
                    }
                    + line(queue);
        }
        if (queue.waiting > 0) {
            return "It would wait its turn" + line(queue);
        }
        List<Candidate> likely = candidates.stream().filter(c -> c.share > 0).toList();
        return likely.size() == 1
                ? "It would go to " + likely.getFirst().endpoint + "."
                : "It would go to one of "
                        + likely.size()
                        + " endpoints, most likely "
                        + likely.getFirst().endpoint
                        + " ("
                        + Math.round(100 * likely.getFirst().share)
                        + " %).";
    }

    private static String line(Queue queue) {
        return ", behind "
                + queue.waiting
                + " calls"
                + (queue.predictedWaitMs == null
                        ? "."
                        : String.format(
                                Locale.ROOT, ", about %.1f s.", queue.predictedWaitMs / 1e3));
    }
}
