package dev.sluice.proxy.routing;

import static dev.sluice.proxy.pool.TestPool.endpoint;
import static dev.sluice.proxy.pool.TestPool.member;
import static dev.sluice.proxy.pool.TestPool.serving;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Member.Use;
import dev.sluice.proxy.pool.Policy;
import dev.sluice.proxy.pool.PoolConfig;
import dev.sluice.proxy.pool.TestPool;
import dev.sluice.proxy.request.Refusal;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

class RouterTest {
    private static final Map<String, String> ALIASES = Map.of("gpt-4o", "a", "gone", "z");

    private final Dispatcher first = pool("one");
    private final Dispatcher second = pool("two");

    @Test
    void findsThePoolThatServesTheModel() {
        publish(first, serving(healthy(1), "a"));
        publish(second, serving(healthy(2), "b"));
        var router = new Router(List.of(first, second), ALIASES);
        assertThat(router.route("b")).isEqualTo(new Route.To(second));
        assertThat(router.route(router.resolve("gpt-4o"))).isEqualTo(new Route.To(first));
        assertThat(router.models()).containsExactly("a", "b", "gpt-4o");
    }

    @Test
    void namesWhatIsServedWhenNobodyServesTheModel() {
        publish(first, serving(healthy(1), "a"));
        publish(second, serving(healthy(2), "b"));
        var refusal = refusal(new Router(List.of(first, second), ALIASES), "c");
        assertThat(refusal.status()).isEqualTo(404);
        assertThat(refusal.code()).isEqualTo("model_not_found");
        assertThat(refusal.message()).contains("\"c\"").endsWith("served: a, b, gpt-4o");
        publish(first, serving(healthy(1), "a"));
        assertThat(refusal(new Router(List.of(first), Map.of()), "c").status()).isEqualTo(404);
    }

    @Test
    void sendsACallWithoutModelToTheOnlyPool() {
        assertThat(new Router(List.of(first), Map.of()).route("")).isEqualTo(new Route.To(first));
        var refusal = refusal(new Router(List.of(first, second), Map.of()), "");
        assertThat(refusal.status()).isEqualTo(400);
        assertThat(refusal.param()).isEqualTo("model");
    }

    @Test
    void letsCallsWaitAtTheOnlyPoolWhileItsModelsAreNotKnown() {
        var router = new Router(List.of(first), Map.of());
        assertThat(router.route("a")).isEqualTo(new Route.To(first));
        publish(first, member(endpoint(1), Use.NONE, 1, 1));
        assertThat(router.route("a")).isEqualTo(new Route.To(first));
        publish(first, serving(healthy(1), "a"), member(endpoint(2), Use.NONE, 1, 1));
        assertThat(router.route("b")).as("one is still starting").isEqualTo(new Route.To(first));
        publish(first, serving(healthy(1), "a"));
        assertThat(router.route("b")).isInstanceOf(Route.Nowhere.class);
    }

    private static Refusal refusal(Router router, String model) {
        return ((Route.Nowhere) router.route(model)).refusal();
    }

    private static Dispatcher pool(String name) {
        return new Dispatcher(
                TestPool.of(PoolConfig.of(name, Policy.ROUND_ROBIN, List.of()), () -> 0),
                () -> 0,
                new SplittableRandom(1));
    }

    private static void publish(Dispatcher dispatcher, Member... members) {
        TestPool.publish(dispatcher.pool(), members);
    }

    private static Member healthy(int number) {
        return member(endpoint(number), Use.FULL, 1, Integer.MAX_VALUE);
    }
}
