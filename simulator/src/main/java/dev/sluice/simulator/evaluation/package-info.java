/// Scaling rules on traces, in virtual time: {@link dev.sluice.simulator.evaluation.Day} runs one
/// rule over one trace, {@link dev.sluice.simulator.evaluation.Evaluation} runs all of them with
/// their knobs swept and several seeds. The Sluice rule is the autoscaler's own decision. Pure; no
/// clock, no socket; runs share nothing, so that they may run beside each other.
@NullMarked
package dev.sluice.simulator.evaluation;

import org.jspecify.annotations.NullMarked;
