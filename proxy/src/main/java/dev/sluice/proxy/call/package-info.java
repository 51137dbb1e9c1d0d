/// The conductor. `Call` is the first file to open: its stages are methods in flow order.
@NullMarked
package dev.sluice.proxy.call;

import org.jspecify.annotations.NullMarked;
