package dev.sluice.autoscaler.signal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.autoscaler.FakeProxy;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// Sleeping until a proxy holds a call.
@Timeout(60)
class ProxiesTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private FakeProxy one;
    private FakeProxy two;
    private List<URI> both;
    private Proxies proxies;

    @BeforeEach
    void open() throws Exception {
        one = new FakeProxy();
        two = new FakeProxy();
        both = List.of(one.url(), two.url());
        proxies = new Proxies(new ProxySource(both, null, 9901, null));
    }

    @AfterEach
    void close() {
        proxies.close();
        one.close();
        two.close();
    }

    @Test
    void anyProxyWakesIt() {
        var asleep = sleep(LONG);
        await(() -> one.asked.get() == 1 && two.asked.get() == 1);
        two.queue(1);
        assertThat(asleep.orTimeout(5, TimeUnit.SECONDS).join()).isLessThan(5_000);
    }

    @Test
    void oneThatIsGoneNeitherWakesItNorKeepsTheOtherFromIt() {
        one.close();
        var asleep = sleep(LONG);
        await(() -> two.asked.get() == 1);
        assertThat(asleep).isNotDone();
        two.queue(1);
        assertThat(asleep.orTimeout(5, TimeUnit.SECONDS).join()).isLessThan(5_000);
    }

    @Test
    void oneThatAnswersAtOnceShortensNothing() {
        two.broken = true;
        assertThat(sleep(Duration.ofMillis(600)).join()).isBetween(600L, 3_000L);
    }

    @Test
    void anIdleSleepCostsEachProxyOneRequest() {
        assertThat(sleep(Duration.ofMillis(600)).join()).isBetween(600L, 3_000L);
        assertThat(one.asked.get()).isEqualTo(1);
        assertThat(two.asked.get()).isEqualTo(1);
    }

    /// Milliseconds that it slept.
    private CompletableFuture<Long> sleep(Duration most) {
        return CompletableFuture.supplyAsync(
                () -> {
                    long start = System.nanoTime();
                    try {
                        proxies.awaitQueued("llama", both, most);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    return (System.nanoTime() - start) / 1_000_000;
                },
                // Not in the common pool, where the client ends its calls.
                Thread::startVirtualThread);
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await().pollInterval(Duration.ofMillis(10)).until(condition);
    }
}
