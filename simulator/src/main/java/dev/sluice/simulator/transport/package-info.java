/// The socket transport that the replica's server and the replay share.
@NullMarked
package dev.sluice.simulator.transport;

import org.jspecify.annotations.NullMarked;
