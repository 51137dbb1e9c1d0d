/// What is scaled: a {@link dev.sluice.autoscaler.target.Target} says which replicas exist and
/// brings their number to the one asked for. Here: child processes on this machine. Called by one
/// scaler's thread only; may block for about a second.
@NullMarked
package dev.sluice.autoscaler.target;

import org.jspecify.annotations.NullMarked;
