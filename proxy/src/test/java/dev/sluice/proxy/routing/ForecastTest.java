package dev.sluice.proxy.routing;

import static dev.sluice.proxy.pool.TestPool.endpoint;
import static dev.sluice.proxy.pool.TestPool.member;
import static dev.sluice.proxy.pool.TestPool.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Member.Use;
import dev.sluice.proxy.pool.Policy;
import dev.sluice.proxy.pool.Pool;
import dev.sluice.proxy.pool.PoolConfig;
import dev.sluice.proxy.pool.TestPool;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.routing.Choice.Because;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.SplittableRandom;

class ForecastTest {
    private final Endpoint one = endpoint(1);
    private final Endpoint two = endpoint(2);
    private final Endpoint three = endpoint(3);

    private static Forecast forecast(Policy policy, String model, Member... members) {
        Pool pool = TestPool.of(PoolConfig.of("p", policy, List.of()), () -> 0);
        var dispatcher = new Dispatcher(pool, () -> 0, new SplittableRandom(1));
        TestPool.publish(pool, members);
        return dispatcher.forecast(
                new InferenceRequest("x", Api.CHAT, model, true, 10, 0, "", null));
    }

    private static Member full(Endpoint endpoint, double weight) {
        return member(endpoint, Use.FULL, weight, 2);
    }

    @Test
    void tellsScoreAndShareOfEachPolicy() {
        TestPool.take(one);
        TestPool.ttft(one, 100);
        TestPool.ttft(two, 300);
        var least = forecast(Policy.LEAST_LOADED, "", full(one, 1), full(two, 1));
        assertThat(least.standings()).extracting(s -> s.score()).containsExactly(2.0, 1.0);
        assertThat(least.standings()).extracting(s -> s.share()).containsExactly(0.0, 1.0);
        var turns = forecast(Policy.ROUND_ROBIN, "", full(one, 1), full(two, 1));
        assertThat(turns.standings()).extracting(s -> s.score()).containsOnlyNulls();
        assertThat(turns.standings()).extracting(s -> s.share()).containsExactly(0.5, 0.5);
        var weighted = forecast(Policy.WEIGHTED, "", full(one, 3), full(two, 1));
        assertThat(weighted.standings()).extracting(s -> s.share()).containsExactly(0.75, 0.25);
        var latency = forecast(Policy.LATENCY, "", full(one, 1), full(two, 1), full(three, 1));
        assertThat(latency.standings().get(0).score()).isCloseTo(200, within(1e-6));
        assertThat(latency.standings().get(2).score()).as("no sample is not 0").isNull();
    }

    @Test
    void saysWhyEachOtherIsLeftOut() {
        TestPool.take(two);
        TestPool.take(two);
        var forecast =
                forecast(
                        Policy.LEAST_LOADED,
                        "m",
                        serving(full(one, 1), "m"),
                        serving(full(two, 1), "m"),
                        serving(full(three, 1), "other"),
                        serving(member(endpoint(4), Use.NONE, 1, 2), "m"));
        assertThat(forecast.nobody()).isNull();
        assertThat(forecast.standings())
                .extracting(s -> s.leftOut() == null ? "" : s.leftOut().toString())
                .containsExactly(
                        "",
                        "LeftOut[reason=busy, detail=2 of 2 in flight]",
                        "LeftOut[reason=model, detail=serves other]",
                        "LeftOut[reason=state, detail=starting: test]");
    }

    @Test
    void asksAnEndpointOnTrialFirstAndTakesNothing() {
        var forecast =
                forecast(Policy.LEAST_LOADED, "", full(one, 1), member(two, Use.TRIAL, 1, 2));
        assertThat(forecast.standings()).extracting(s -> s.share()).containsExactly(0.0, 1.0);
        assertThat(two.inFlight()).isZero();
        var nobody = forecast(Policy.LATENCY, "", member(one, Use.NONE, 1, 2));
        assertThat(nobody.nobody()).isEqualTo(Because.HEALTH);
    }
}
