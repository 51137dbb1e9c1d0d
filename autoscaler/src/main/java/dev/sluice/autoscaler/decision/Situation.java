package dev.sluice.autoscaler.decision;

import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.autoscaler.signal.Window;

/// Everything that a decision may look at.
///
/// @param window never empty
/// @param slots calls that one replica serves at once within its objective
/// @param nowMs on the clock of the observations
public record Situation(
        Window window, History history, Replicas replicas, double slots, long nowMs) {}
