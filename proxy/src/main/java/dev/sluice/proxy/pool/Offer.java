package dev.sluice.proxy.pool;

import org.jspecify.annotations.Nullable;

/// An endpoint that a source names as a member of a pool.
///
/// @param withheld why it may take nothing new, as the source says; null: it may
public record Offer(EndpointConfig endpoint, @Nullable String withheld) {

    /// Where a pool's members come from. An endpoint stays for as long as one of them names it; of
    /// several, the first in this order says its weight.
    public enum Source {
        /// The list in the configuration.
        CONFIGURED,
        /// The admin port, where the autoscaler registers replicas.
        REGISTERED,
        /// DNS or Kubernetes.
        DISCOVERED
    }

    public static Offer of(EndpointConfig endpoint) {
        return new Offer(endpoint, null);
    }
}
