package dev.sluice.proxy.pool;

/// What waits for a pool's capacity. Called from any thread; never blocks, never throws.
public interface Demand {
    /// A slot may be free now, or the pool changed.
    void capacityFreed();

    /// Every 100 ms, on the control thread: time to refuse what waited too long.
    void sweep();

    /// Calls that wait now.
    int waiting();

    /// The pool was changed by a reload; on the control thread.
    void follow(PoolConfig config);

    /// The pool is gone: whatever waits or still comes is refused. On the control thread, once.
    void close();
}
