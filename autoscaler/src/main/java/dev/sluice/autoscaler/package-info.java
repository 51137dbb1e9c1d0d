/// See docs/architecture.md.
@NullMarked
package dev.sluice.autoscaler;

import org.jspecify.annotations.NullMarked;
