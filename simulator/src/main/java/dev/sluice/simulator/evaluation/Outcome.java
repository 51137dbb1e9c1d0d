package dev.sluice.simulator.evaluation;

/// What came of one run.
///
/// @param attainment share of all calls that were good, 0 to 1
/// @param attainmentLater the same of those that came after the first 600 s; 1 when none did
/// @param replicaHours from asked for to gone, starts and drains included, up to the last arrival
/// @param replicaHoursLater the same without the first 600 s
/// @param ttftP50Ms of the calls that saw a first token
/// @param reversals changes of direction within 10 minutes
/// @param cutStreams calls killed by scale-down
/// @param saturated calls refused because their wait in the queue was too long, or it was full
/// @param held calls that came while no replica was ready
/// @param heldLost of those, the ones that never had a token; what a crash takes later is not the
///   hold's
/// @param hitRatio share of prompt tokens that prefix caches had
public record Outcome(
        double attainment,
        double attainmentLater,
        double replicaHours,
        double replicaHoursLater,
        double ttftP50Ms,
        double ttftP99Ms,
        int reversals,
        int cutStreams,
        int saturated,
        int held,
        int heldLost,
        double hitRatio) {

    /// Whether it has the attainment for less; where neither has it, whether it has more of it.
    boolean betterThan(Outcome other, double goal) {
        boolean enough = attainment >= goal;
        if (enough != other.attainment >= goal) {
            return enough;
        }
        return enough ? replicaHours < other.replicaHours : attainment > other.attainment;
    }
}
