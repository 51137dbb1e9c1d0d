/// The engine of one replica as a discrete-event model: sequences go in with a time, tokens come
/// out with a time. It has no thread, no clock and no socket, so the same class runs behind the
/// HTTP server in real time and in offline evaluation in virtual time.
@NullMarked
package dev.sluice.simulator.replica;

import org.jspecify.annotations.NullMarked;
