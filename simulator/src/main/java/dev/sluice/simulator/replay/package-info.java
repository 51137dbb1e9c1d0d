/// The open-loop client: makes calls at the times of a trace whatever the answers do, and measures
/// from the intended start, so that a slow server cannot hide its own queue (coordinated omission).
/// Calls come in as a list; a {@link ReplaySummary} goes out. One event loop.
@NullMarked
package dev.sluice.simulator.replay;

import org.jspecify.annotations.NullMarked;
