package dev.sluice.proxy.routing;

import static dev.sluice.proxy.pool.TestPool.endpoint;
import static dev.sluice.proxy.pool.TestPool.member;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.HealthConfig;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Member.Use;
import dev.sluice.proxy.pool.Policy;
import dev.sluice.proxy.pool.Pool;
import dev.sluice.proxy.pool.PoolConfig;
import dev.sluice.proxy.pool.QueueConfig;
import dev.sluice.proxy.pool.TestPool;

import io.netty.util.concurrent.DefaultEventExecutor;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// The queue, with a clock that only the test moves.
class DispatcherTest {
    private static final long S = 1_000_000_000L;

    private final AtomicLong clock = new AtomicLong();
    private final Endpoint one = endpoint(1);
    private final Endpoint two = endpoint(2);
    private Pool pool;
    private Dispatcher dispatcher;

    @AfterEach
    void everythingIsGivenBack() {
        assertThat(one.inFlight()).isZero();
        assertThat(two.inFlight()).isZero();
        assertThat(dispatcher.queue().waiting()).isZero();
    }

    @Test
    void grantsAtOnceWhileASlotIsFree() {
        open(4, false, slots(one, 1));
        FakeWaiter call = ask();
        assertThat(call.slot.endpoint()).isSameAs(one);
        assertThat(call.slot.queuedNanos()).isZero();
        assertThat(call.slot.reason()).isEqualTo("least_loaded load=0.0 of 1");
        assertThat(one.inFlight()).isEqualTo(1);
        release(call);
    }

    @Test
    void grantsInOrderOfArrivalWhenASlotComesFree() {
        open(4, false, slots(one, 1));
        FakeWaiter running = ask();
        FakeWaiter first = ask();
        FakeWaiter second = ask();
        assertThat(dispatcher.queue().waiting()).isEqualTo(2);
        clock.addAndGet(2 * S);
        assertThat(dispatcher.queue().oldest()).isEqualTo(Duration.ofSeconds(2));
        release(running);
        assertThat(first.slot.queuedNanos()).isEqualTo(2 * S);
        assertThat(second.answers).isZero();
        release(first);
        release(second);
    }

    @Test
    void refusesWhatFindsTheQueueFullAndSaysTheNumbers() {
        open(1, false, slots(one, 1));
        FakeWaiter running = ask();
        FakeWaiter waits = ask();
        FakeWaiter refused = ask();
        assertThat(refused.refusal.status()).isEqualTo(503);
        assertThat(refused.refusal.code()).isEqualTo("queue_full");
        assertThat(refused.refusal.message())
                .contains("1 of 1")
                .contains("1 in flight, 1 queued, 1 of 1 endpoints ready; retry in");
        assertThat(refused.refusal.retryAfter()).isGreaterThanOrEqualTo(Duration.ofSeconds(1));
        release(running);
        release(waits);
    }

    @Test
    void refusesWhatWaitedToTheDeadline() {
        open(4, false, slots(one, 1));
        FakeWaiter running = ask();
        FakeWaiter waits = ask();
        clock.addAndGet(30 * S - 1);
        dispatcher.sweep();
        assertThat(waits.answers).isZero();
        clock.incrementAndGet();
        dispatcher.sweep();
        assertThat(waits.refusal.code()).isEqualTo("queue_deadline");
        release(running);
        assertThat(waits.answers).isEqualTo(1);
    }

    @Test
    void refusesWhatWouldPassItsDeadlineByTheMeasuredRate() {
        open(100, false, slots(one, 1));
        FakeWaiter running = ask();
        List<FakeWaiter> line = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            line.add(ask());
        }
        for (int i = 0; i < 10; i++) {
            clock.addAndGet(2 * S);
            release(running);
            running = line.removeFirst();
            assertThat(running.slot).isNotNull();
        }
        assertThat(dispatcher.queue().predictedWait())
                .isBetween(Duration.ofSeconds(15), Duration.ofSeconds(30));
        FakeWaiter hasty = new FakeWaiter("", List.of(), running.loop, clock.get() + 5 * S);
        dispatcher.acquire(hasty);
        assertThat(hasty.refusal.code()).isEqualTo("queue_wait");
        assertThat(ask(line).answers).isZero();
        release(running);
        line.forEach(this::release);
    }

    @Test
    void forgetsACallThatLeft() {
        open(4, false, slots(one, 1));
        FakeWaiter running = ask();
        FakeWaiter left = ask();
        FakeWaiter stays = ask();
        dispatcher.cancel(left);
        dispatcher.cancel(left);
        assertThat(dispatcher.queue().waiting()).isEqualTo(1);
        release(running);
        assertThat(left.answers).isZero();
        release(stays);
    }

    @Test
    void takesBackASlotThatMeetsACancelOnItsWay() throws InterruptedException {
        open(4, false, slots(one, 1));
        var loop = new DefaultEventExecutor();
        FakeWaiter running = ask();
        var left = new FakeWaiter("", List.of(), loop, Long.MAX_VALUE / 2);
        var hold = new CountDownLatch(1);
        loop.execute(
                () -> {
                    dispatcher.acquire(left);
                    // The grant is queued behind this task while the slot is taken already.
                    release(running);
                    assertThat(one.inFlight()).isEqualTo(1);
                    dispatcher.cancel(left);
                    hold.countDown();
                });
        assertThat(hold.await(5, TimeUnit.SECONDS)).isTrue();
        loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).await(5, TimeUnit.SECONDS);
        assertThat(left.answers).isZero();
    }

    @Test
    void holdsCallsForAFirstEndpointWhereThePoolMayScaleFromZero() {
        open(4, true);
        FakeWaiter held = ask();
        FakeWaiter late = ask();
        assertThat(dispatcher.queue().held()).isEqualTo(2);
        clock.addAndGet(290 * S);
        dispatcher.sweep();
        TestPool.publish(pool, slots(one, 1));
        assertThat(held.slot).isNotNull();
        assertThat(dispatcher.queue().held()).isZero();
        // What was held gets the whole ordinary deadline from here.
        clock.addAndGet(29 * S);
        dispatcher.sweep();
        assertThat(late.answers).isZero();
        release(held);
        release(late);
    }

    @Test
    void refusesHeldCallsAtTheColdStartDeadlineAndOthersAtTheirs() {
        open(4, true);
        FakeWaiter held = ask();
        clock.addAndGet(300 * S);
        dispatcher.sweep();
        assertThat(held.refusal.code()).isEqualTo("no_endpoint");

        open(4, false);
        FakeWaiter call = ask();
        clock.addAndGet(30 * S);
        dispatcher.sweep();
        assertThat(call.refusal.message()).contains("0 of 0 endpoints ready");
    }

    @Test
    void respectsTheCallsOwnEnd() {
        open(4, true);
        var call = new FakeWaiter("", List.of(), new FakeWaiter().loop, 3 * S);
        dispatcher.acquire(call);
        clock.set(3 * S);
        dispatcher.sweep();
        assertThat(call.refusal).isNotNull();
    }

    @Test
    void aCallWithWishesDoesNotHoldUpThoseBehindIt() {
        open(4, false, slots(one, 1), slots(two, 1));
        FakeWaiter a = ask();
        FakeWaiter b = ask();
        Endpoint ofA = a.slot.endpoint();
        var retry = new FakeWaiter("", List.of(ofA), a.loop, Long.MAX_VALUE / 2);
        dispatcher.acquire(retry);
        FakeWaiter behind = ask();
        release(a);
        assertThat(retry.answers).isZero();
        assertThat(behind.slot.endpoint()).isSameAs(ofA);
        release(b);
        assertThat(retry.slot.endpoint()).isNotSameAs(ofA);
        release(retry);
        release(behind);
    }

    @Test
    void refusesARetryThatHasTriedAll() {
        open(4, false, slots(one, 1));
        var retry = new FakeWaiter("", List.of(one), new FakeWaiter().loop, Long.MAX_VALUE / 2);
        dispatcher.acquire(retry);
        assertThat(retry.refusal.code()).isEqualTo("no_other_endpoint");
    }

    @Test
    void leavesAnEndpointAloneForAsLongAsItAsks() {
        open(4, false, slots(one, 8));
        FakeWaiter call = ask();
        call.slot.release(AttemptResult.OVERLOADED, 2 * S);
        FakeWaiter waits = ask();
        assertThat(waits.answers).isZero();
        clock.addAndGet(2 * S);
        dispatcher.sweep();
        release(waits);
    }

    @Test
    void sendsOneTrialAtATimeBeforeThePolicy() {
        open(4, false, slots(one, 8), member(two, Use.TRIAL, 0.1, 8));
        FakeWaiter trial = ask();
        assertThat(trial.slot.endpoint()).isSameAs(two);
        assertThat(trial.slot.reason()).isEqualTo("least_loaded trial unhealthy of 2");
        FakeWaiter other = ask();
        assertThat(other.slot.endpoint()).isSameAs(one);
        release(trial);
        FakeWaiter notYet = ask();
        assertThat(notYet.slot.endpoint()).as("until the control thread has judged").isSameAs(one);
        release(other);
        release(notYet);
    }

    @Test
    void retriesUpToAFifthOfTheCallsAndThreeASecond() {
        open(4, false, slots(one, 8));
        int spent = 0;
        while (dispatcher.mayRetry()) {
            spent++;
        }
        assertThat(spent).isEqualTo(3);
        for (int i = 0; i < 50; i++) {
            release(ask());
        }
        while (dispatcher.mayRetry()) {
            spent++;
        }
        assertThat(spent).isEqualTo(3 + 10);
        clock.addAndGet(2 * S);
        while (dispatcher.mayRetry()) {
            spent++;
        }
        assertThat(spent).isEqualTo(3 + 10 + 6);
    }

    @Test
    void wakesWhoWaitsForAQueuedCall() throws Exception {
        open(4, false, slots(one, 1));
        FakeWaiter running = ask();
        var ended = new CountDownLatch(1);
        Thread watcher =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    try {
                                        dispatcher.awaitQueued(Duration.ofSeconds(60));
                                    } catch (InterruptedException e) {
                                        return;
                                    }
                                    ended.countDown();
                                });
        await().until(() -> watcher.getState() == Thread.State.TIMED_WAITING);
        FakeWaiter first = ask();
        assertThat(ended.await(5, TimeUnit.SECONDS)).isTrue();
        dispatcher.awaitQueued(Duration.ofSeconds(60)); // it waits still: at once
        release(running);
        dispatcher.awaitQueued(Duration.ofMillis(1)); // nobody waits: after the time
        release(first);
    }

    private void open(int depth, boolean hold, Member... members) {
        var queue =
                new QueueConfig(
                        depth, 1 << 20, Duration.ofSeconds(30), hold, Duration.ofSeconds(300));
        var config =
                new PoolConfig(
                        "p",
                        List.of(),
                        Policy.LEAST_LOADED,
                        PoolConfig.Weights.CONFIGURED,
                        List.of(),
                        new PoolConfig.Cap.None(),
                        HealthConfig.DEFAULT,
                        queue,
                        null);
        pool = TestPool.of(config, clock::get);
        dispatcher = new Dispatcher(pool, clock::get, new SplittableRandom(1));
        TestPool.publish(pool, members);
    }

    private static Member slots(Endpoint endpoint, int slots) {
        return member(endpoint, Use.FULL, 1, slots);
    }

    private FakeWaiter ask() {
        var waiter = new FakeWaiter();
        dispatcher.acquire(waiter);
        return waiter;
    }

    private FakeWaiter ask(List<FakeWaiter> line) {
        FakeWaiter waiter = ask();
        line.add(waiter);
        return waiter;
    }

    private void release(FakeWaiter waiter) {
        waiter.slot.release(AttemptResult.OK, 0);
    }
}
