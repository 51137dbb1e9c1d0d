package dev.sluice.autoscaler.signal;

import dev.sluice.shared.LoadReport;
import dev.sluice.shared.LoadReport.EndpointLoad;
import dev.sluice.shared.LoadReport.PoolLoad;

import org.jspecify.annotations.Nullable;

import java.net.URI;

/// What came of asking one proxy for its load.
///
/// @param proxy its admin port
/// @param report null when it did not answer
/// @param problem why not, with the address; empty when it did
public record ProxyReport(URI proxy, @Nullable LoadReport report, String problem) {

    /// The load of this pool; null without an answer, or when the proxy does not know the pool.
    public @Nullable PoolLoad pool(String name) {
        if (report == null) {
            return null;
        }
        for (PoolLoad pool : report.pools()) {
            if (pool.pool().equals(name)) {
                return pool;
            }
        }
        return null;
    }

    /// The endpoint in this pool; null without an answer, or when the proxy does not know it.
    public @Nullable EndpointLoad endpoint(String poolName, String id) {
        PoolLoad pool = pool(poolName);
        if (pool == null) {
            return null;
        }
        for (EndpointLoad endpoint : pool.endpoints()) {
            if (endpoint.id().equals(id)) {
                return endpoint;
            }
        }
        return null;
    }
}
