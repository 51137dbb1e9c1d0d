package dev.sluice.proxy.routing;

import dev.sluice.proxy.pool.Demand;
import dev.sluice.proxy.pool.Pool;
import dev.sluice.proxy.pool.Slot;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.routing.Choice.Chosen;
import dev.sluice.proxy.routing.Choice.None;

import java.time.Duration;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/// Gives a pool's slots to calls: at once while one is free, else in the order of the queue.
public final class Dispatcher implements Demand {
    private final Pool pool;
    private final Picker picker;
    private final LongSupplier nanoClock;

    /// @param random safe for use by many threads
    public Dispatcher(Pool pool, LongSupplier nanoClock, RandomGenerator random) {
        this.pool = pool;
        this.picker = new LeastLoaded(random);
        this.nanoClock = nanoClock;
        pool.serve(this);
    }

    public Pool pool() {
        return pool;
    }

    /// Asks for a slot; the answer comes to the waiter, on its loop.
    public void acquire(Waiter waiter) {
        while (true) {
            Choice choice =
                    picker.pick(
                            pool.snapshot(),
                            waiter.request(),
                            waiter.tried(),
                            nanoClock.getAsLong());
            switch (choice) {
                case Chosen chosen -> {
                    if (pool.take(chosen.member())) {
                        waiter.granted(new Slot(pool, chosen.member(), chosen, 0));
                        return;
                    }
                }
                case None none -> {
                    waiter.refused(
                            Refusal.capacity(
                                    "no_capacity",
                                    "pool " + pool.name() + ": " + none.because(),
                                    Duration.ofSeconds(1)));
                    return;
                }
            }
        }
    }

    /// The call left: nothing is granted to it from here on. Harmless when it does not wait. Called
    /// on the waiter's loop.
    public void cancel(Waiter waiter) {}

    /// Whether the pool's retry budget allows one more attempt; if so, it is spent.
    public boolean mayRetry() {
        return true;
    }

    @Override
    public void capacityFreed() {}

    @Override
    public void sweep() {}
}
