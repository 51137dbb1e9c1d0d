package dev.sluice.proxy.routing;

import static dev.sluice.proxy.pool.TestPool.endpoint;
import static dev.sluice.proxy.pool.TestPool.member;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.Member.Use;
import dev.sluice.proxy.pool.Policy;
import dev.sluice.proxy.pool.Pool;
import dev.sluice.proxy.pool.PoolConfig;
import dev.sluice.proxy.pool.Slot;
import dev.sluice.proxy.pool.TestPool;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.request.Refusal;

import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.EventExecutor;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Many loops, few slots, calls that leave at any moment, endpoints that come and go.
class DispatcherStressTest {
    private static final int CALLS = 20_000;
    private static final int CAP = 3;

    private final Endpoint[] endpoints = {endpoint(1), endpoint(2)};
    private final AtomicInteger overCap = new AtomicInteger();
    private final AtomicInteger afterCancel = new AtomicInteger();
    private final AtomicInteger twice = new AtomicInteger();
    private final AtomicInteger granted = new AtomicInteger();
    private final CountDownLatch over = new CountDownLatch(CALLS);

    @Test
    @Timeout(60)
    void everyCallEndsOnceAndEverySlotComesBack() throws InterruptedException {
        Pool pool =
                TestPool.of(PoolConfig.of("p", Policy.LEAST_LOADED, List.of()), System::nanoTime);
        var dispatcher = new Dispatcher(pool, System::nanoTime, new Random(7));
        publish(pool, true);
        var loops = new DefaultEventExecutorGroup(4);
        var random = new Random(7);
        try {
            for (int i = 0; i < CALLS; i++) {
                EventExecutor loop = loops.next();
                var call = new Call(dispatcher, loop, random.nextInt(4));
                loop.execute(call::begin);
                if (i % 500 == 0) {
                    publish(pool, i % 1_000 == 0);
                    dispatcher.sweep();
                }
                if (i % 200 == 0) {
                    // Bounded: about as many in the queue as it may hold.
                    await().pollInterval(Duration.ofMillis(1))
                            .until(() -> dispatcher.queue().waiting() < 500);
                }
            }
            publish(pool, true);
            assertThat(over.await(30, TimeUnit.SECONDS)).isTrue();
            await().until(
                            () ->
                                    endpoints[0].inFlight() + endpoints[1].inFlight() == 0
                                            && dispatcher.queue().waiting() == 0);
        } finally {
            loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).await(5, TimeUnit.SECONDS);
        }
        assertThat(overCap).hasValue(0);
        assertThat(afterCancel).hasValue(0);
        assertThat(twice).hasValue(0);
        assertThat(granted.get()).isGreaterThan(CALLS / 4);
        assertThat(endpoints[0].attempts() + endpoints[1].attempts()).isEqualTo(granted.get());
    }

    private void publish(Pool pool, boolean both) {
        TestPool.publish(
                pool,
                member(endpoints[0], Use.FULL, 1, CAP),
                member(endpoints[1], both ? Use.FULL : Use.NONE, 1, CAP));
    }

    /// Fields of its loop only.
    private final class Call implements Waiter {
        private final Dispatcher dispatcher;
        private final EventExecutor loop;
        private final int kind;
        private boolean ended;

        Call(Dispatcher dispatcher, EventExecutor loop, int kind) {
            this.dispatcher = dispatcher;
            this.loop = loop;
            this.kind = kind;
        }

        void begin() {
            dispatcher.acquire(this);
            switch (kind) {
                case 0 -> leave();
                case 1 -> loop.execute(this::leave);
                default -> {}
            }
        }

        private void leave() {
            if (ended) {
                return;
            }
            dispatcher.cancel(this);
            ended = true;
            over.countDown();
        }

        @Override
        public void granted(Slot slot) {
            granted.incrementAndGet();
            if (slot.endpoint().inFlight() > CAP) {
                overCap.incrementAndGet();
            }
            end();
            loop.execute(() -> slot.release(AttemptResult.OK, 0));
        }

        @Override
        public void refused(Refusal refusal) {
            end();
        }

        private void end() {
            if (ended) {
                (kind < 2 ? afterCancel : twice).incrementAndGet();
                return;
            }
            ended = true;
            over.countDown();
        }

        @Override
        public InferenceRequest request() {
            return new InferenceRequest("id", Api.CHAT, "", true, 10, 0, "", null);
        }

        @Override
        public List<Endpoint> tried() {
            return List.of();
        }

        @Override
        public EventExecutor loop() {
            return loop;
        }

        @Override
        public long deadlineNanos() {
            return System.nanoTime() + 60_000_000_000L;
        }
    }
}
