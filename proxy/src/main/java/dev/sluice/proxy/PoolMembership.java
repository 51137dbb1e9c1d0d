package dev.sluice.proxy;

import dev.sluice.proxy.admin.Membership;
import dev.sluice.proxy.pool.EndpointConfig;
import dev.sluice.proxy.pool.PoolControl;

/// What the admin API may change of the pools.
record PoolMembership(PoolControl control) implements Membership {
    @Override
    public boolean add(String pool, EndpointConfig endpoint) {
        return control.add(pool, endpoint);
    }

    @Override
    public boolean remove(String id) {
        return control.remove(id);
    }

    @Override
    public boolean drain(String id) {
        return control.drain(id);
    }

    @Override
    public boolean undrain(String id) {
        return control.undrain(id);
    }
}
