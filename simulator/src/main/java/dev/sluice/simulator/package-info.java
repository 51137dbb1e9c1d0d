/// See docs/architecture.md.
@NullMarked
package dev.sluice.simulator;

import org.jspecify.annotations.NullMarked;
