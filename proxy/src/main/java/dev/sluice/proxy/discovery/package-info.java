/// Looks for endpoints while the proxy runs: a pool's {@link dev.sluice.proxy.pool.Discovery} comes
/// in, {@link dev.sluice.proxy.pool.Offer}s go to the control thread. Virtual threads and the
/// Kubernetes client's own; nothing of that client is loaded before a pool asks for it.
@NullMarked
package dev.sluice.proxy.discovery;

import org.jspecify.annotations.NullMarked;
