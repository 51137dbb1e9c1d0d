package dev.sluice.autoscaler.signal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.autoscaler.FakeProxy;
import dev.sluice.autoscaler.signal.Observation.Load;
import dev.sluice.shared.LoadReport;
import dev.sluice.shared.LoadReport.PoolLoad;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.List;

class ObserverTest {
    private final Observer observer = new Observer("llama");
    private FakeProxy one;
    private FakeProxy two;
    private Proxies proxies;
    private long nowMs = 1_000_000;

    @BeforeEach
    void open() throws Exception {
        one = new FakeProxy();
        two = new FakeProxy();
        proxies = new Proxies(new ProxySource(List.of(one.url(), two.url()), null, 9901, null));
    }

    @AfterEach
    void close() {
        proxies.close();
        one.close();
        two.close();
    }

    @Test
    void sumsOverProxiesAndCountsSinceTheLookBefore() throws Exception {
        one.queue(2);
        two.queue(3);
        assertThat(look().load()).extracting(Load::completed).isEqualTo(0L); // their life before
        one.completed.addAndGet(5);
        two.failed.addAndGet(2);
        Load load = look().load();
        assertThat(load.queued()).isEqualTo(5);
        assertThat(load.completed()).isEqualTo(5);
        assertThat(load.failed()).isEqualTo(2);
    }

    @Test
    void countsFromZeroAfterARestart() throws Exception {
        look();
        one.restart();
        one.completed.set(7);
        assertThat(look().load().completed()).isEqualTo(7);
    }

    @Test
    void hasNoLoadUnlessAllAnswer() throws Exception {
        look(); // the first request of a JVM may take longer than the time-out
        two.broken = true;
        Observation o = look();
        assertThat(o.load()).isNull();
        assertThat(o.problems()).containsExactly(two.url() + " answered 500");
    }

    @Test
    void aProxyThatHangsCostsASecond() throws Exception {
        look();
        two.hang();
        long start = System.nanoTime();
        Observation o = look();
        two.goOn();
        assertThat(System.nanoTime() - start).isLessThan(5_000_000_000L);
        assertThat(o.problems()).containsExactly(two.url() + ": no answer within 1 s");
    }

    @Test
    void anUnknownPoolIsAProblemAndNotZero() throws Exception {
        Observation o = new Observer("other").observe(proxies.poll(), new Cpu(0, 0, 0), nowMs);
        assertThat(o.load()).isNull();
        assertThat(o.problems()).contains(one.url() + " has no pool other");
    }

    @Test
    void aFrozenReportIsNoAnswer() throws Exception {
        List<ProxyReport> same = proxies.poll();
        observer.observe(same, new Cpu(0, 0, 0), nowMs);
        assertThat(observer.observe(same, new Cpu(0, 0, 0), nowMs + 5_000).load()).isNotNull();
        assertThat(observer.observe(same, new Cpu(0, 0, 0), nowMs + 11_000).problems())
                .contains(one.url() + " repeats one report");
    }

    @Test
    void aProxysClockMayGoBackwards() {
        assertThat(observer.observe(said(5_000_000), new Cpu(0, 0, 0), 0).load()).isNotNull();
        for (int i = 1; i < 20; i++) { // its clock was put back by an hour and goes on from there
            List<ProxyReport> now = said(1_400_000 + i);
            assertThat(observer.observe(now, new Cpu(0, 0, 0), 2_000L * i).problems()).isEmpty();
        }
    }

    private List<ProxyReport> said(long timeMs) {
        var pool =
                new PoolLoad(
                        "llama", List.of(), 0, 0, 0, 0, null, null, 0, 0, 0, 0, 0, 0, 0, null,
                        List.of());
        return List.of(
                new ProxyReport(
                        one.url(), new LoadReport("p", timeMs, 1, true, List.of(pool)), ""));
    }

    private Observation look() throws InterruptedException {
        nowMs += 2_000;
        return observer.observe(proxies.poll(), new Cpu(0, 0, 0), nowMs);
    }
}
