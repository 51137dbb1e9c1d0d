/// The calls to make: read from a trace file or drawn by a {@link Workload}. Pure; no sockets, no
/// clock.
@NullMarked
package dev.sluice.simulator.trace;

import org.jspecify.annotations.NullMarked;
