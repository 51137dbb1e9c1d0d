/// Which pool, and which of its endpoints. Pickers are pure: (snapshot, request, tried) to a choice
/// with its reason. The dispatcher acts: it takes the slot, or has the call wait.
@NullMarked
package dev.sluice.proxy.routing;

import org.jspecify.annotations.NullMarked;
