package dev.sluice.simulator.evaluation;

/// What came of one run of a routing policy. Times are from the arrival on, of calls that were
/// served.
///
/// @param hitRatio share of prompt tokens that prefix caches had
/// @param maxOverMean calls of the endpoint that got the most ÷ the mean
/// @param refused for want of capacity
public record RoutingOutcome(
        double ttftMeanMs,
        double ttftP99Ms,
        double e2eP99Ms,
        double hitRatio,
        double maxOverMean,
        int refused) {}
