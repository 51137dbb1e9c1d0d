/// How many replicas there should be. {@link dev.sluice.autoscaler.decision.Decision} is pure: a
/// window of observations, the replicas and the time go in, a {@link
/// dev.sluice.autoscaler.decision.Recommendation} comes out. The class that is evaluated on traces
/// is the class that ships.
@NullMarked
package dev.sluice.autoscaler.decision;

import org.jspecify.annotations.NullMarked;
