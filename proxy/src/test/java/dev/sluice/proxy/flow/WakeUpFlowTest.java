package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.Proxy;
import dev.sluice.proxy.ProxyConfig;
import dev.sluice.shared.AdminJson;
import dev.sluice.shared.ConfigSource;
import dev.sluice.shared.LoadReport;
import dev.sluice.shared.LoadReport.PoolLoad;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// A pool without replicas holds its calls, and tells whoever waits for one.
@Timeout(30)
class WakeUpFlowTest {
    private final HttpClient http = HttpClient.newHttpClient();
    private Proxy proxy;

    @BeforeEach
    void start() throws IOException {
        ProxyConfig config =
                ConfigSource.parse(
                        "test",
                        """
                        listen: 127.0.0.1:0
                        admin: 127.0.0.1:0
                        server: {stop_after: 0s}
                        pools:
                          - {name: p, models: [m], endpoints: []}
                          - {name: other, models: [o], endpoints: []}
                        """,
                        name -> null,
                        ProxyConfig::from);
        proxy = Proxy.start(config, _ -> {});
    }

    @AfterEach
    void close() {
        http.shutdownNow();
        if (proxy != null) {
            proxy.close();
        }
    }

    @Test
    void tellsAtOnceOfTheFirstHeldCallAndOfNoOtherPools() throws Exception {
        var mine = load("?pool=p&wait_ms=20000");
        var others = load("?pool=other&wait_ms=20000");
        var silent = load("?pool=p&wait_ms=300").get();
        assertThat(pool(silent).held()).isZero();
        assertThat(mine).isNotDone();

        try (var client = new RawClient(proxy.port())) {
            client.post("{\"model\":\"m\"}");
            long start = System.nanoTime();
            assertThat(pool(mine.get()).held()).isEqualTo(1);
            assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start)).isLessThan(2_000);
            // One that comes late is told too: it waits for a state, not for an edge.
            assertThat(pool(load("?pool=p&wait_ms=20000").get()).held()).isEqualTo(1);
            assertThat(others).isNotDone();
        }
    }

    @Test
    void doesNotOutliveItsProxy() {
        var waiting = load("?pool=p&wait_ms=20000");
        proxy.close();
        proxy = null;
        assertThat(waiting.handle((_, _) -> "over").orTimeout(5, TimeUnit.SECONDS).join())
                .isEqualTo("over");
    }

    @Test
    void refusesWhatItCannotWaitFor() throws Exception {
        assertThat(load("?wait_ms=100").get().body()).contains("name one of this proxy's pools");
        assertThat(load("?pool=p&wait_ms=40000").get().statusCode()).isEqualTo(400);
    }

    private CompletableFuture<HttpResponse<String>> load(String query) {
        URI url = URI.create(proxy.adminUrl() + "/admin/v1/load" + query);
        return http.sendAsync(HttpRequest.newBuilder(url).build(), BodyHandlers.ofString());
    }

    private static PoolLoad pool(HttpResponse<String> answer) throws IOException {
        byte[] json = answer.body().getBytes(StandardCharsets.UTF_8);
        return AdminJson.answer(json, LoadReport.class).pools().getFirst();
    }
}
