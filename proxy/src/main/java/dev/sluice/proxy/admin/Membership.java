package dev.sluice.proxy.admin;

import dev.sluice.proxy.pool.EndpointConfig;

/// Changes which endpoints pools have, at run time. Blocks until the pool's snapshot shows it.
public interface Membership {
    /// @param pool one that exists
    /// @return false when the pool had an endpoint of this address already, which stays as it was
    boolean add(String pool, EndpointConfig endpoint);

    /// Exchanges that run there finish.
    ///
    /// @return false when no pool has it
    boolean remove(String id);

    /// Gives it nothing new until {@link #undrain}.
    ///
    /// @return false when no pool has it
    boolean drain(String id);

    /// @return false when no pool has it
    boolean undrain(String id);
}
