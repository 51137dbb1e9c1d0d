package dev.sluice.proxy.accounting;

import dev.sluice.proxy.response.Outcome;

/// The class of a call's ending, as a meter's label.
enum CodeClass {
    SUCCESS("2xx"),
    REDIRECT("3xx"),
    CLIENT_ERROR("4xx"),
    SERVER_ERROR("5xx"),
    /// The client left.
    CANCELLED("cancelled"),
    /// Cut in its body: the status was good, the answer was not.
    BROKEN("broken");

    private final String label;

    CodeClass(String label) {
        this.label = label;
    }

    String label() {
        return label;
    }

    static CodeClass of(CallRecord call) {
        return switch (call.outcome()) {
            case Outcome.Cancelled _ -> CANCELLED;
            case Outcome.Broken _ -> BROKEN;
            case Outcome.Completed(int status) -> ofStatus(status);
            case Outcome.Rejected(var refusal) -> ofStatus(refusal.status());
            case Outcome.Failed(var refusal, var _) -> ofStatus(refusal.status());
        };
    }

    private static CodeClass ofStatus(int status) {
        if (status >= 500) {
            return SERVER_ERROR;
        }
        if (status >= 400) {
            return CLIENT_ERROR;
        }
        return status >= 300 ? REDIRECT : SUCCESS;
    }
}
