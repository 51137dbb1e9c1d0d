package dev.sluice.proxy.pool;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/// Watches all endpoints of all pools and publishes what it sees: one thread folds events, probes
/// and scrapes into each pool's {@link Snapshot}. Membership changes at run time come in here.
public final class PoolControl implements AutoCloseable {
    private final List<Pool> pools = new ArrayList<>();

    /// @param random for jitter
    public PoolControl(List<PoolConfig> configs, LongSupplier nanoClock, RandomGenerator random) {
        for (PoolConfig config : configs) {
            pools.add(new Pool(config, nanoClock, endpoint -> {}));
        }
    }

    public List<Pool> pools() {
        return List.copyOf(pools);
    }

    /// Begins to probe. Pools can be used before, and have no usable endpoint until the first
    /// answers.
    public void start() {}

    @Override
    public void close() {}
}
