package dev.sluice.shared;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/// What an autoscaler says of one pool: the body of `POST /admin/v1/scaling`, pushed to every proxy
/// with each look at the signals, so that the proxy's page can show replicas and decisions. The
/// newest push for a pool replaces the one before; a status whose {@link #timeMs} is old means that
/// the autoscaler is gone. In JSON the names are in snake_case; unknown ones are ignored by
/// readers.
///
/// @param target what is scaled, for people: `process` and the command's first word, or kind/name
/// @param pool the pool whose load drives it
/// @param timeMs when this was made, milliseconds since the epoch by the autoscaler's clock
/// @param dryRun whether decisions are only told, not carried out
/// @param min fewest replicas by configuration
/// @param max most replicas by configuration
/// @param desired replicas that the last decision asked for
/// @param current replicas that exist: ready, starting and draining
/// @param ready replicas that take calls
/// @param starting replicas that exist and are not ready yet
/// @param draining replicas that finish their calls and go
/// @param reason why `desired` is what it is: the reason word of the last look, also when it
///   changed nothing
/// @param message the same as one sentence, with the numbers
/// @param terms the numbers behind the last look, by name; what is not known is left out
/// @param conditions what stands out, as `SignalsStale`; only the ones that hold now
/// @param decisions the last decisions that changed `desired`, newest first, at most 50
public record ScalingStatus(
        String target,
        String pool,
        long timeMs,
        boolean dryRun,
        int min,
        int max,
        int desired,
        int current,
        int ready,
        int starting,
        int draining,
        String reason,
        String message,
        Map<String, Double> terms,
        List<Condition> conditions,
        List<Decision> decisions) {

    /// What an older or another program leaves out is empty.
    public ScalingStatus {
        target = Objects.requireNonNullElse(target, "");
        pool = Objects.requireNonNullElse(pool, "");
        reason = Objects.requireNonNullElse(reason, "");
        message = Objects.requireNonNullElse(message, "");
        terms = Objects.requireNonNullElse(terms, Map.of());
        conditions = Objects.requireNonNullElse(conditions, List.of());
        decisions = Objects.requireNonNullElse(decisions, List.of());
    }

    /// @param type a stable word, as `SignalsStale`, `Limited`, `BadRollout`
    /// @param message what was seen, with its numbers
    /// @param sinceMs since when it holds, milliseconds since the epoch
    public record Condition(String type, String message, long sinceMs) {}

    /// @param timeMs when, milliseconds since the epoch
    /// @param from replicas asked for before
    /// @param replicas replicas asked for from then on
    /// @param reason the stable word that is also in the log and in the meter's label
    /// @param message the same as one sentence, with the numbers
    /// @param terms the numbers behind it, by name
    public record Decision(
            long timeMs,
            int from,
            int replicas,
            String reason,
            String message,
            Map<String, Double> terms) {}
}
