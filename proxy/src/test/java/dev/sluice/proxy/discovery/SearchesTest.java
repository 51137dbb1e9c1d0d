package dev.sluice.proxy.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.proxy.discovery.Lookup.Answer;
import dev.sluice.proxy.pool.EndpointConfig;
import dev.sluice.proxy.pool.EndpointUrl;
import dev.sluice.proxy.pool.Offer;
import dev.sluice.proxy.pool.PoolConfig;
import dev.sluice.proxy.pool.PoolControl;
import dev.sluice.shared.ConfigSource;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;

/// Pools follow what their names resolve to.
class SearchesTest {
    private final Map<String, Answer> names = new ConcurrentHashMap<>();
    private final PoolControl control =
            new PoolControl(
                    pools("{name: vllm, port: 8000, interval: 100ms}"),
                    System::nanoTime,
                    RandomGenerator.getDefault());
    private final Searches searches =
            new Searches(
                    control, name -> names.getOrDefault(name, new Answer.Failed("nobody there")));

    @AfterEach
    void close() {
        searches.close();
        control.close();
    }

    @Test
    void followsTheAddressesOfANameAndKeepsThemWhenNobodyAnswers() {
        control.start();
        searches.follow(pools("{name: vllm, port: 8000, interval: 100ms}"));
        assertThat(searches.views().getFirst().state()).isEqualTo("starting");
        names.put("vllm", addresses("127.0.0.1", "127.0.0.2"));
        await().until(() -> members().equals(List.of("127.0.0.1:8000", "127.0.0.2:8000")));
        names.put("vllm", addresses("127.0.0.2", "127.0.0.3"));
        await().until(() -> members().equals(List.of("127.0.0.2:8000", "127.0.0.3:8000")));
        names.remove("vllm");
        await().until(() -> searches.views().getFirst().state().equals("stale"));
        assertThat(members()).hasSize(2);
        assertThat(searches.views().getFirst().problem()).isEqualTo("nobody there");
    }

    @Test
    void leavesConfiguredAndRegisteredEndpointsAlone() {
        control.start();
        var own = new EndpointConfig(EndpointUrl.parse("http://127.0.0.9:1"), 3);
        control.add("p", own);
        names.put("vllm", addresses("127.0.0.1"));
        searches.follow(pools("{name: vllm, port: 8000, interval: 100ms}"));
        await().until(() -> members().size() == 2);
        names.put("gone", addresses("127.0.0.5"));
        searches.follow(pools("{name: gone, port: 8000, interval: 100ms}"));
        await().until(() -> members().equals(List.of("127.0.0.9:1", "127.0.0.5:8000")));
        searches.follow(List.of());
        assertThat(members()).containsExactly("127.0.0.9:1");
        assertThat(searches.views()).isEmpty();
    }

    @Test
    void holdsWhatKubernetesWithholdsWithoutForgettingIt() {
        var one = new EndpointConfig(EndpointUrl.parse("http://127.0.0.1:1"), 1);
        control.offer("p", Offer.Source.DISCOVERED, List.of(new Offer(one, "not ready")));
        var member = control.pools().getFirst().snapshot().members().getFirst();
        assertThat(member.health().label()).isEqualTo("draining");
        assertThat(member.health().reason()).isEqualTo("not ready");
        control.offer("p", Offer.Source.DISCOVERED, List.of(Offer.of(one)));
        var after = control.pools().getFirst().snapshot().members().getFirst();
        assertThat(after.health().label()).isEqualTo("starting");
        assertThat(after.endpoint()).isSameAs(member.endpoint());
    }

    private List<String> members() {
        return control.pools().getFirst().snapshot().members().stream()
                .map(m -> m.endpoint().id())
                .toList();
    }

    private static Answer addresses(String... literals) {
        return new Answer.Addresses(Arrays.stream(literals).map(InetAddress::ofLiteral).toList());
    }

    private static List<PoolConfig> pools(String dns) {
        return ConfigSource.parse(
                "test",
                "pools: [{name: p, dns: " + dns + "}]",
                _ -> null,
                node -> node.objects("pools", PoolConfig::from));
    }
}
