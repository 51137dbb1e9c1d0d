package dev.sluice.proxy.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.proxy.pool.Offer.Source;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

class PoolControlTest {
    private static final String MODELS = "{\"data\":[{\"id\":\"m\"}]}";

    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    @Test
    void findsAnEngineItsModelsAndItsLoadWithinAMoment() throws IOException {
        FakeEngine vllm =
                engine().on("/health", 200, "")
                        .on("/version", 200, "{\"version\":\"0.11.0\"}")
                        .on("/v1/models", 200, MODELS)
                        .on(
                                "/metrics",
                                200,
                                """
                                vllm:num_requests_running{engine="0"} 3
                                vllm:num_requests_waiting{engine="0"} 1
                                """);
        PoolControl control = started(vllm.url());
        Member member = whenUsable(control);
        assertThat(member.health().label()).isEqualTo("healthy");
        assertThat(member.models()).containsExactly("m");
        assertThat(member.engine().kind()).isEqualTo("vllm");
        assertThat(member.engine().version()).isEqualTo("0.11.0");
        await().untilAsserted(() -> assertThat(first(control).foreign()).isEqualTo(4));
        assertThat(control.pools().getFirst().snapshot().models()).containsExactly("m");
    }

    @Test
    void holdsAnEngineWithoutHealthPathForAliveWhenItServesItsModels() throws IOException {
        PoolControl control = started(engine().on("/v1/models", 200, MODELS).url());
        assertThat(whenUsable(control).engine().kind()).isEqualTo("plain");
    }

    @Test
    void tellsLlamaCppFromTheOllamaThatItAlsoSpeaks() throws IOException {
        FakeEngine llama =
                engine().on("/health", 200, "{\"status\":\"ok\"}")
                        .on("/props", 200, "{\"total_slots\":4}")
                        .on("/api/tags", 200, "{\"models\":[]}")
                        .on("/v1/models", 200, MODELS);
        assertThat(whenUsable(started(llama.url())).engine().kind()).isEqualTo("llamacpp");
    }

    @Test
    void doesNotFollowRedirects() throws IOException {
        FakeEngine moved = engine().on("/health", 302, "").on("/elsewhere", 200, "");
        PoolControl control = started(moved.url());
        await().untilAsserted(
                        () ->
                                assertThat(first(control).health().reason())
                                        .contains("health answers 302"));
        assertThat(moved.asked()).doesNotContain("/elsewhere");
        assertThat(control.pools().getFirst().snapshot().usable()).isEmpty();
    }

    @Test
    void keepsALoadingEngineStartingUntilItAnswers() throws IOException {
        FakeEngine loading = engine().on("/health", 503, "loading").on("/v1/models", 200, MODELS);
        PoolControl control = started(loading.url());
        await().untilAsserted(
                        () ->
                                assertThat(first(control).health().reason())
                                        .isEqualTo("not ready yet: health answers 503"));
        assertThat(first(control).health().label()).isEqualTo("starting");
        loading.on("/health", 200, "");
        await().atMost(Duration.ofSeconds(2)).until(() -> usable(control) == 1);
    }

    @Test
    void changesMembersAtRunTime() throws IOException {
        FakeEngine one = engine().on("/health", 200, "");
        FakeEngine two = engine().on("/health", 200, "");
        PoolControl control = started();
        Pool pool = control.pools().getFirst();
        assertThat(control.add("p", new EndpointConfig(one.url(), 1))).isTrue();
        assertThat(control.add("p", new EndpointConfig(one.url(), 1))).isFalse();
        await().until(() -> usable(control) == 1);
        assertThat(control.drain(one.url().id())).isTrue();
        assertThat(first(control).health().label()).isEqualTo("draining");
        assertThat(usable(control)).isZero();
        assertThat(control.undrain(one.url().id())).isTrue();
        assertThat(usable(control)).isEqualTo(1);
        Endpoint kept = first(control).endpoint();
        control.offer("p", Source.DISCOVERED, List.of(Offer.of(new EndpointConfig(two.url(), 1))));
        assertThat(first(control).endpoint()).isSameAs(kept);
        await().until(() -> usable(control) == 2);
        assertThat(control.remove(one.url().id())).isTrue();
        assertThat(control.remove(one.url().id())).isFalse();
        assertThat(pool.snapshot().members()).hasSize(1);
        assertThatThrownBy(() -> control.add("q", new EndpointConfig(one.url(), 1)))
                .hasMessageContaining("pools: p");
    }

    @Test
    void ejectsAtTheSecondRefusedConnectionAndBringsBackByATrial() throws IOException {
        FakeEngine one = engine().on("/health", 200, "");
        PoolControl control = started(one.url());
        Pool pool = control.pools().getFirst();
        Member member = whenUsable(control);
        for (int i = 0; i < 2; i++) {
            assertThat(pool.take(member)).isTrue();
            new Slot(pool, member, () -> "test", 0).release(AttemptResult.REFUSED, 0);
        }
        await().until(() -> first(control).health() instanceof HealthState.Unhealthy);
        // Its probe passes, so it is the last resort, and stays out until a request is answered.
        await().until(() -> pool.snapshot().trials().size() == 1);
        Member trial = pool.snapshot().trials().getFirst();
        assertThat(pool.take(trial)).isTrue();
        assertThat(pool.take(trial)).isFalse();
        new Slot(pool, trial, () -> "test", 0).release(AttemptResult.OK, 0);
        await().until(() -> first(control).health() instanceof HealthState.Healthy);
        assertThat(first(control).endpoint().inFlight()).isZero();
    }

    private FakeEngine engine() throws IOException {
        var engine = new FakeEngine();
        open.add(engine);
        return engine;
    }

    private PoolControl started(EndpointUrl... urls) {
        List<EndpointConfig> endpoints =
                List.of(urls).stream().map(u -> new EndpointConfig(u, 1)).toList();
        var control =
                new PoolControl(
                        List.of(PoolConfig.of("p", Policy.LEAST_LOADED, endpoints)),
                        System::nanoTime,
                        new SplittableRandom(1));
        open.add(control);
        control.start();
        return control;
    }

    private static Member whenUsable(PoolControl control) {
        await().atMost(Duration.ofSeconds(5)).until(() -> usable(control) == 1);
        return first(control);
    }

    private static int usable(PoolControl control) {
        return control.pools().getFirst().snapshot().usable().size();
    }

    private static Member first(PoolControl control) {
        return control.pools().getFirst().snapshot().members().getFirst();
    }
}
