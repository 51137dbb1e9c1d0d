package dev.sluice.proxy.routing;

import static dev.sluice.proxy.pool.TestPool.endpoint;
import static dev.sluice.proxy.pool.TestPool.member;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Member.Use;
import dev.sluice.proxy.pool.Policy;
import dev.sluice.proxy.pool.Pool;
import dev.sluice.proxy.pool.PoolConfig;
import dev.sluice.proxy.pool.TestPool;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/// What a grant and its release cost, by policy and pool size; run by hand, on one thread.
final class PickTiming {
    private static final int CALLS = 2_000_000;

    private PickTiming() {}

    public static void main(String[] args) {
        RandomGenerator random = () -> ThreadLocalRandom.current().nextLong();
        for (int size : new int[] {1, 4, 16, 64, 256}) {
            for (Policy policy : Policy.values()) {
                Pool pool = TestPool.of(PoolConfig.of("p", policy, List.of()), System::nanoTime);
                var dispatcher = new Dispatcher(pool, System::nanoTime, random);
                TestPool.publish(
                        pool,
                        IntStream.range(0, size)
                                .mapToObj(i -> endpoint(i % 250))
                                .map(e -> member(e, Use.FULL, 1, Integer.MAX_VALUE))
                                .toArray(Member[]::new));
                run(dispatcher, CALLS / 2);
                long start = System.nanoTime();
                run(dispatcher, CALLS);
                System.out.printf(
                        "%3d endpoints %-12s %4d ns%n",
                        size, policy.label(), (System.nanoTime() - start) / CALLS);
            }
        }
    }

    private static void run(Dispatcher dispatcher, int calls) {
        var waiter = new FakeWaiter();
        for (int i = 0; i < calls; i++) {
            dispatcher.acquire(waiter);
            waiter.slot.release(AttemptResult.OK, 0);
        }
    }
}
