package dev.sluice.proxy.admin;

import dev.sluice.proxy.accounting.CallRecord;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.response.Outcome;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A call as the admin API tells it. Null means that there was none, as a first token.
///
/// @param outcome `completed`, `cancelled`, `rejected`, `failed` or `broken`
/// @param code the refusal's code, the phase or the attempt's result behind the outcome
/// @param endpoint the last one tried
/// @param reason why that one; or the refusal's code
record CallView(
        String id,
        long timeMs,
        String method,
        String path,
        String api,
        String model,
        boolean stream,
        String tenant,
        String pool,
        int status,
        String outcome,
        @Nullable String code,
        @Nullable String endpoint,
        String reason,
        double queueMs,
        @Nullable Double ttftMs,
        double totalMs,
        double overheadMs,
        int promptTokens,
        boolean usageReported,
        int outputTokens,
        long bytesIn,
        long bytesOut,
        List<Attempt> attempts) {

    /// @param beganMs since the call began
    /// @param afterMs since the first attempt began
    record Attempt(
            String endpoint,
            String reason,
            String result,
            int status,
            boolean reusedConnection,
            double beganMs,
            double afterMs,
            double tookMs) {}

    /// @param story what happened, a sentence for each step
    record Explained(CallView call, List<String> story) {}

    static CallView of(CallRecord call) {
        return new CallView(
                call.request().id(),
                call.startMs(),
                call.method(),
                call.path(),
                word(call.request().api()),
                call.request().model(),
                call.request().stream(),
                call.request().tenant(),
                call.pool(),
                call.status(),
                call.outcome().getClass().getSimpleName().toLowerCase(Locale.ROOT),
                code(call.outcome()),
                call.attempts().isEmpty() ? null : call.attempts().getLast().endpoint(),
                call.reason(),
                millis(call.queueNanos()),
                call.ttftNanos() < 0 ? null : millis(call.ttftNanos()),
                millis(call.totalNanos()),
                millis(call.overheadNanos()),
                call.promptTokens(),
                call.usageReported(),
                call.outputTokens(),
                call.bytesIn(),
                call.bytesOut(),
                attempts(call));
    }

    static Explained explain(CallRecord call) {
        CallView view = of(call);
        var story = new ArrayList<String>();
        story.add(
                "It asked for model "
                        + (view.model.isEmpty() ? "(none)" : view.model)
                        + " by "
                        + view.method
                        + " "
                        + view.path
                        + (view.stream ? ", streamed" : "")
                        + (view.pool.isEmpty()
                                ? "; no pool was found."
                                : "; pool " + view.pool + " serves it."));
        if (!view.attempts.isEmpty()) {
            story.add(
                    view.queueMs < 0.1
                            ? "It got a slot at once."
                            : "It waited " + show(view.queueMs) + " for a slot.");
        }
        for (int i = 0; i < view.attempts.size(); i++) {
            Attempt attempt = view.attempts.get(i);
            story.add(
                    "Attempt "
                            + (i + 1)
                            + " went to "
                            + attempt.endpoint
                            + " because "
                            + attempt.reason
                            + ", on a "
                            + (attempt.reusedConnection ? "pooled" : "new")
                            + " connection: "
                            + attempt.result
                            + (attempt.status == 0 ? "" : " with status " + attempt.status)
                            + " after "
                            + show(attempt.tookMs)
                            + ".");
        }
        if (view.ttftMs != null) {
            story.add(
                    "Its first token came after "
                            + show(view.ttftMs)
                            + ", of which the proxy took "
                            + show(view.overheadMs)
                            + ".");
        }
        story.add(ending(call, view));
        return new Explained(view, story);
    }

    private static String ending(CallRecord call, CallView view) {
        String after = " after " + show(view.totalMs) + ".";
        return switch (call.outcome()) {
            case Outcome.Completed(int status) ->
                    "The whole answer reached the client with status " + status + after;
            case Outcome.Cancelled(Outcome.Phase phase) ->
                    "The client left while " + word(phase) + after;
            case Outcome.Rejected(Refusal refusal) -> refused(refusal) + after;
            case Outcome.Failed(Refusal refusal, var last) ->
                    "Every attempt failed, the last by "
                            + word(last)
                            + ". "
                            + refused(refusal)
                            + after;
            case Outcome.Broken(var result) ->
                    "The answer broke off (" + word(result) + ") with part of it sent" + after;
        };
    }

    private static String refused(Refusal refusal) {
        return "Sluice answered "
                + refusal.status()
                + " "
                + refusal.code()
                + " (\""
                + refusal.message()
                + "\")";
    }

    private static @Nullable String code(Outcome outcome) {
        return switch (outcome) {
            case Outcome.Completed _ -> null;
            case Outcome.Cancelled(Outcome.Phase phase) -> word(phase);
            case Outcome.Rejected(Refusal refusal) -> refusal.code();
            case Outcome.Failed(Refusal refusal, var _) -> refusal.code();
            case Outcome.Broken(var result) -> word(result);
        };
    }

    private static List<Attempt> attempts(CallRecord call) {
        return call.attempts().stream()
                .map(
                        a ->
                                new Attempt(
                                        a.endpoint(),
                                        a.reason(),
                                        word(a.result()),
                                        a.status(),
                                        a.reused(),
                                        millis(a.startNanos() - call.startNanos()),
                                        millis(
                                                a.startNanos()
                                                        - call.attempts().getFirst().startNanos()),
                                        millis(a.endNanos() - a.startNanos())))
                .toList();
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /// To the microsecond.
    private static double millis(long nanos) {
        return Math.round(nanos / 1e3) / 1e3;
    }

    private static String show(double millis) {
        return millis >= 1_000
                ? String.format(Locale.ROOT, "%.2f s", millis / 1e3)
                : String.format(Locale.ROOT, "%.2f ms", millis);
    }
}
