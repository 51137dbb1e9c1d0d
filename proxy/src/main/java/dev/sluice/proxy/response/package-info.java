/// Bytes back to the client: commits the status once, relays with back-pressure, watches SSE events
/// go by without holding them.
@NullMarked
package dev.sluice.proxy.response;

import org.jspecify.annotations.NullMarked;
