/// One exchange on one connection, on the client's own event loop.
@NullMarked
package dev.sluice.proxy.upstream;

import org.jspecify.annotations.NullMarked;
