package dev.sluice.proxy.admission;

import dev.sluice.proxy.request.Refusal;

/// Whether a caller may enter.
public sealed interface Admission {
    /// @param caller to be asked again for tokens, and told of those that were used
    record Admitted(Caller caller) implements Admission {}

    /// Not now, or not at all.
    record Shed(Refusal refusal) implements Admission {}
}
