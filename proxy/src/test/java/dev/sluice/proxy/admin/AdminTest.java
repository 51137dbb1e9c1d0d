package dev.sluice.proxy.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;

import dev.sluice.proxy.accounting.Accounting;
import dev.sluice.proxy.accounting.Calls;
import dev.sluice.proxy.accounting.TelemetryConfig;
import dev.sluice.proxy.admission.Guards;
import dev.sluice.proxy.admission.MemoryConfig;
import dev.sluice.proxy.admission.MemoryUse;
import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.pool.EndpointConfig;
import dev.sluice.proxy.pool.EndpointUrl;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Policy;
import dev.sluice.proxy.pool.Pool;
import dev.sluice.proxy.pool.PoolConfig;
import dev.sluice.proxy.pool.PoolControl;
import dev.sluice.proxy.pool.Slot;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.response.Outcome;
import dev.sluice.proxy.routing.Dispatcher;
import dev.sluice.proxy.routing.Router;
import dev.sluice.shared.AdminConfig;
import dev.sluice.shared.AdminJson;
import dev.sluice.shared.LoadReport;
import dev.sluice.shared.MetricNames;

import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

@Timeout(60)
class AdminTest {
    private final EventLoop loop = new DefaultEventLoop();
    private static final ObjectMapper JSON = new ObjectMapper();

    /// What is not known of an engine without metrics and of a data port that was never opened;
    /// {@code DashboardsTest} has all of them.
    private static final Set<String> ABSENT_HERE =
            Set.of(
                    MetricNames.ENDPOINT_SLOTS,
                    MetricNames.ENDPOINT_WAITING,
                    MetricNames.ENDPOINT_KV_USAGE,
                    MetricNames.ENDPOINT_SIGNAL_AGE,
                    MetricNames.CONNECTIONS,
                    MetricNames.CONNECTIONS_MAX,
                    MetricNames.CERTIFICATE_EXPIRY,
                    MetricNames.DISCOVERY_FRESH);

    /// A configuration with a secret, as an operator could have it.
    record Config(InetSocketAddress listen, AdminConfig admin, Duration drainTimeout) {}

    /// A configuration that nothing reloads.
    record Fixed(Object effective) implements Configuration {
        @Override
        public Reloaded reload(String by) {
            throw new AssertionError();
        }

        @Override
        public Reloaded check(String yaml) {
            throw new AssertionError();
        }

        @Override
        public Last last() {
            return null;
        }
    }

    private final HttpClient client = HttpClient.newHttpClient();
    private final AtomicBoolean draining = new AtomicBoolean();
    private HttpServer engine;
    private PoolControl control;
    private Accounting accounting;
    private Admin admin;

    /// An engine that is well and serves one model.
    @BeforeEach
    void start() throws IOException {
        engine = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        engine.createContext(
                "/",
                exchange -> {
                    byte[] body =
                            exchange.getRequestURI().getPath().equals("/v1/models")
                                    ? "{\"data\":[{\"id\":\"llama-3.1\"}]}"
                                            .getBytes(StandardCharsets.UTF_8)
                                    : new byte[0];
                    exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
                    exchange.getResponseBody().write(body);
                    exchange.close();
                });
        engine.start();
        var endpoint = new EndpointConfig(EndpointUrl.parse("http://" + id()), 2);
        RandomGenerator random = RandomGenerator.getDefault();
        control =
                new PoolControl(
                        List.of(PoolConfig.of("llama", Policy.LEAST_LOADED, List.of(endpoint))),
                        System::nanoTime,
                        random);
        List<Dispatcher> dispatchers =
                control.pools().stream()
                        .map(pool -> new Dispatcher(pool, System::nanoTime, random))
                        .toList();
        accounting =
                new Accounting(
                        "1.2.3",
                        () -> dispatchers,
                        System.currentTimeMillis(),
                        TelemetryConfig.OFF,
                        Guards.of(MemoryConfig.DEFAULT, () -> new MemoryUse(0, 0)));
        accounting.watch(loop);
        var config = new AdminConfig("127.0.0.1", 0, null);
        admin =
                Admin.start(
                        config,
                        new Admin.Shown(
                                "1.2.3",
                                new Fixed(
                                        new Config(
                                                InetSocketAddress.createUnresolved(
                                                        "127.0.0.1", 8080),
                                                new AdminConfig(
                                                        "127.0.0.1", 0, "a-very-secret-token"),
                                                Duration.ofSeconds(60))),
                                accounting,
                                new Admin.Routing(
                                        control,
                                        () -> new Router(dispatchers, Map.of("gpt", "llama-3.1")),
                                        List::of),
                                new Admin.Life(draining::get, () -> false)));
    }

    @AfterEach
    void stop() {
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        admin.close();
        control.close();
        accounting.close();
        engine.stop(0);
    }

    private String id() {
        return "127.0.0.1:" + engine.getAddress().getPort();
    }

    private HttpResponse<String> send(String method, String path, String body) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create(admin.url() + path))
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .timeout(Duration.ofSeconds(20))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private JsonNode get(String path) throws Exception {
        return JSON.readTree(send("GET", path, "").body());
    }

    private void awaitState(String state) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(
                        () ->
                                get("/admin/v1/endpoints")
                                        .at("/endpoints/0/state")
                                        .asText()
                                        .equals(state));
    }

    @Test
    void isReadyWhileAnEndpointIsUsableAndItDoesNotDrain() throws Exception {
        assertEquals(503, send("GET", "/readyz", "").statusCode());
        assertEquals(200, send("GET", "/livez", "").statusCode());
        control.start();
        awaitState("healthy");
        for (String path : List.of("/readyz", "/health", "/health/readiness")) {
            assertEquals(200, send("GET", path, "").statusCode(), path);
        }
        draining.set(true);
        assertThat(send("GET", "/readyz", "").body()).contains("draining");
        assertEquals(503, send("GET", "/health", "").statusCode());
        assertEquals(200, send("GET", "/health/liveliness", "").statusCode());
    }

    @Test
    void staysReadyWhileAnEndpointWaitsForTheCallThatTriesIt() throws Exception {
        control.start();
        awaitState("healthy");
        Pool pool = control.pools().getFirst();
        Member member = pool.snapshot().usable().getFirst();
        for (int i = 0; i < 2; i++) {
            assertThat(pool.take(member)).isTrue();
            new Slot(pool, member, () -> "test", 0).release(AttemptResult.REFUSED, 0);
        }
        awaitState("unhealthy");
        var ready = send("GET", "/readyz", "");
        assertEquals(200, ready.statusCode(), ready.body());
        assertThat(ready.body()).contains("0 of 1 endpoints usable, 1 waiting for a trial call");
    }

    @Test
    void drainsAndUndrainsAndSaysSo() throws Exception {
        control.start();
        awaitState("healthy");
        var drained = send("POST", "/admin/v1/endpoints/" + id() + ":drain", "");
        assertEquals(200, drained.statusCode(), drained.body());
        assertThat(drained.body()).contains("\"state\":\"draining\"").contains("undrained");
        assertEquals(503, send("GET", "/readyz", "").statusCode());
        assertEquals(
                200, send("POST", "/admin/v1/endpoints/" + id() + ":undrain", "").statusCode());
        awaitState("healthy");
        var unknown = send("POST", "/admin/v1/endpoints/10.9.9.9:1:drain", "");
        assertEquals(404, unknown.statusCode());
        assertThat(unknown.body()).contains(id());
    }

    @Test
    void registersAnEndpointOnceAndRemovesIt() throws Exception {
        control.start();
        String body = "{\"pool\":\"llama\",\"url\":\"http://127.0.0.1:1/v1\",\"weight\":3}";
        assertEquals(201, send("POST", "/admin/v1/endpoints", body).statusCode());
        assertEquals(200, send("POST", "/admin/v1/endpoints", body).statusCode());
        assertEquals(2, get("/admin/v1/endpoints").at("/endpoints").size());
        assertEquals(200, send("DELETE", "/admin/v1/endpoints/127.0.0.1:1", "").statusCode());
        assertEquals(404, send("DELETE", "/admin/v1/endpoints/127.0.0.1:1", "").statusCode());
        assertRefused("{\"url\":\"ftp://x\"}", "\"field\":\"url\"");
        assertRefused("{\"url\":\"http://169.254.169.254/\"}", "link-local");
        assertRefused("{\"pool\":\"llma\",\"url\":\"http://x\"}", "pools: llama");
        assertRefused("{\"url\":\"http://x\",\"weight\":0}", "\"field\":\"weight\"");
        assertRefused("{\"uri\":\"http://x\"}", "did you mean url?");
    }

    private void assertRefused(String body, String because) throws Exception {
        var answer = send("POST", "/admin/v1/endpoints", body);
        assertThat(answer.statusCode()).isBetween(400, 404);
        assertThat(answer.body()).contains(because);
    }

    @Test
    void explainsACall() throws Exception {
        accounting.ended(Calls.ok("call/1", "llama-3.1"));
        accounting.ended(
                Calls.of(
                        "call-2",
                        "llama-3.1",
                        "llama",
                        new Outcome.Failed(
                                Refusal.upstream(502, "upstream_reset", "reset"),
                                AttemptResult.RESET),
                        502,
                        AttemptResult.RESET));
        JsonNode told = get("/admin/v1/requests/call%2F1");
        assertEquals("completed", told.at("/call/outcome").asText());
        assertEquals(100, told.at("/call/ttft_ms").asDouble());
        assertThat(told.at("/story").toString()).contains("least_loaded load=3.0 of 4");
        assertThat(get("/admin/v1/requests/call-2").toString()).contains("upstream_reset");
        assertEquals("call-2", get("/admin/v1/requests?limit=1").at("/requests/0/id").asText());
        assertEquals(404, send("GET", "/admin/v1/requests/none", "").statusCode());
    }

    @Test
    void findsCallsWithAllOfTheWords() throws Exception {
        accounting.ended(Calls.ok("one", "llama-3.1"));
        accounting.ended(Calls.ok("two", "other"));
        assertThat(ids("/admin/v1/requests")).containsExactly("two", "one");
        assertThat(ids("/admin/v1/requests?q=LLAMA%20200")).containsExactly("two", "one");
        assertThat(ids("/admin/v1/requests?q=llama-3+completed")).containsExactly("one");
        assertThat(ids("/admin/v1/requests?q=llama-3+failed")).isEmpty();
    }

    private List<String> ids(String path) throws Exception {
        return get(path).path("requests").findValuesAsText("id");
    }

    @Test
    void forecastsWhereARequestWouldGo() throws Exception {
        assertEquals(0, explain("{\"model\":\"gpt\"}").at("/candidates/0/share").asDouble());
        control.start();
        awaitState("healthy");
        JsonNode told = explain("{\"model\":\"gpt\",\"max_tokens\":5}");
        assertEquals("It would go to " + id() + ".", told.path("verdict").asText());
        assertEquals("llama-3.1", told.path("model").asText());
        assertEquals(5, told.path("max_tokens").asInt());
        assertEquals(1, told.at("/candidates/0/share").asDouble());
        assertThat(told.at("/candidates/0/score").isNumber()).isTrue();
        assertThat(told.at("/candidates/0/ttft_ms").isNull()).isTrue();
        assertEquals(200, send("POST", "/admin/v1/endpoints/" + id() + ":drain", "").statusCode());
        JsonNode drained = explain("{\"model\":\"llama-3.1\"}");
        assertThat(drained.path("verdict").asText()).contains("no endpoint takes calls");
        assertEquals("state", drained.at("/candidates/0/left_out").asText());
        assertThat(drained.at("/candidates/0/why").asText()).startsWith("draining: ");
        JsonNode nowhere = explain("{\"model\":\"other\"}");
        assertEquals(404, nowhere.at("/refusal/status").asInt());
        assertThat(nowhere.path("candidates")).isEmpty();
        var broken = send("POST", "/admin/v1/explain", "{\"model\":}");
        assertEquals(400, broken.statusCode());
        assertEquals(400, send("POST", "/admin/v1/explain", "").statusCode());
    }

    private JsonNode explain(String body) throws Exception {
        return JSON.readTree(send("POST", "/admin/v1/explain", body).body());
    }

    @Test
    void reportsTheLoadAsTheAutoscalerReadsIt() throws Exception {
        accounting.ended(Calls.ok("a", "llama-3.1"));
        var report =
                AdminJson.answer(
                        send("GET", "/admin/v1/load", "").body().getBytes(StandardCharsets.UTF_8),
                        LoadReport.class);
        LoadReport.PoolLoad pool = report.pools().getFirst();
        assertThat(report.ready()).isTrue();
        assertEquals(1, pool.completedTotal());
        assertEquals(31, pool.outputTokensTotal());
        assertEquals(id(), pool.endpoints().getFirst().id());
        assertThat(pool.endpoints().getFirst().kvUsage()).isNull();
    }

    @Test
    void showsTheConfigurationWithoutItsSecrets() throws Exception {
        String status = send("GET", "/admin/v1/status", "").body();
        assertThat(status)
                .contains("\"version\":\"1.2.3\"")
                .contains("\"drain_timeout\":\"1m\"")
                .contains("\"listen\":\"127.0.0.1:8080\"")
                .contains("\"token\":\"(set)\"")
                .doesNotContain("secret");
    }

    @Test
    void publishesExactlyTheMetricsOfTheContract() throws Exception {
        accounting.ended(Calls.ok("a", "llama-3.1"));
        accounting.ended(
                Calls.of(
                        "b",
                        "m",
                        "llama",
                        new Outcome.Rejected(
                                Refusal.capacity("queue_full", "m", Duration.ofSeconds(1))),
                        503,
                        AttemptResult.OK));
        String scrape = send("GET", "/metrics", "").body();
        var contract =
                Arrays.stream(MetricNames.class.getFields())
                        .filter(f -> Modifier.isStatic(f.getModifiers()))
                        .map(AdminTest::text)
                        .filter(
                                name ->
                                        name.startsWith("sluice_")
                                                || name.startsWith("gen_ai_s")
                                                || name.startsWith("gen_ai_client"))
                        .filter(name -> !name.matches(".*(scale|replicas|cold_start).*"))
                        .collect(Collectors.toSet());
        var published =
                Pattern.compile("(?m)^# TYPE ((?:sluice|gen_ai)_\\S+)")
                        .matcher(scrape)
                        .results()
                        .map(found -> found.group(1))
                        .collect(Collectors.toSet());
        assertThat(documented()).containsExactlyInAnyOrderElementsOf(contract);
        contract.removeAll(ABSENT_HERE);
        assertEquals(contract, published);
        assertThat(scrape)
                .contains("sluice_build_info{version=\"1.2.3\"} 1\n")
                .contains("sluice_inflight{endpoint=\"" + id() + "\",pool=\"llama\"} 0.0\n")
                .contains("state=\"starting\"} 1.0\n")
                .contains("jvm_memory_used_bytes");
    }

    /// What the tables of docs/metrics.md name, up to the autoscaler's.
    private static List<String> documented() throws IOException {
        String page = Files.readString(Path.of("..", "docs", "metrics.md"));
        return Pattern.compile("(?m)^\\| `((?:sluice|gen_ai)_\\w+)`")
                .matcher(page.substring(0, page.indexOf("## The autoscaler")))
                .results()
                .map(found -> found.group(1))
                .toList();
    }

    private static String text(java.lang.reflect.Field field) {
        try {
            return String.valueOf(field.get(null));
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void servesThePageWithAPolicyThatRunsNothingElse() throws Exception {
        var page = send("GET", "/", "");
        assertEquals(200, page.statusCode());
        assertThat(page.headers().firstValue("content-type").orElse("")).startsWith("text/html");
        assertThat(page.headers().firstValue("content-security-policy").orElse(""))
                .contains("default-src 'none'")
                .contains("script-src 'sha256-")
                .doesNotContain("unsafe");
        assertThat(page.body())
                .doesNotContain("innerHTML")
                .doesNotContain(" style=")
                .doesNotContain("src=\"http")
                .doesNotContain("href=\"http");
    }

    @Test
    void aStatusWithoutAPoolIsRefusedAndOneWithoutConditionsShown() throws Exception {
        var empty = send("POST", "/admin/v1/scaling", "{}");
        assertEquals(400, empty.statusCode());
        assertThat(empty.body()).contains("pool", "is missing");
        assertEquals(200, send("POST", "/admin/v1/scaling", "{\"pool\":\"llama\"}").statusCode());
        var status = send("GET", "/admin/v1/status", "");
        assertEquals(200, status.statusCode());
        assertThat(status.body()).contains("\"conditions\":[]");
    }

    @Test
    void streamsPicturesWithTheAutoscalersStatusInThem() throws Exception {
        String status =
                """
                {"target":"process vllm","pool":"llama","time_ms":1,"dry_run":false,"min":1,"max":4,
                "desired":2,"current":2,"ready":1,"starting":1,"draining":0,"reason":"load",
                "message":"m","terms":{},"conditions":[],"decisions":[],"from_the_future":1}
                """;
        assertEquals(200, send("POST", "/admin/v1/scaling", status).statusCode());
        assertEquals(
                404, send("POST", "/admin/v1/scaling", status.replace("llama", "x")).statusCode());
        var request = HttpRequest.newBuilder(URI.create(admin.url() + "/admin/v1/events")).build();
        var stream = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        try (var lines =
                new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8))) {
            assertEquals("event: history", lines.readLine());
            lines.readLine();
            lines.readLine();
            for (int i = 0; i < 2; i++) {
                assertEquals("event: picture", lines.readLine());
                JsonNode picture = JSON.readTree(lines.readLine().substring("data: ".length()));
                assertEquals(2, picture.at("/scaling/0/desired").asInt());
                assertEquals(id(), picture.at("/pools/0/endpoints/0/id").asText());
                assertThat(picture.path("findings").findValuesAsText("what"))
                        .contains(
                                "Pool llama: no endpoint takes calls",
                                "Autoscaler of llama: silent");
                assertThat(picture.at("/strain/heap").isNumber()).isTrue();
                lines.readLine();
            }
        }
    }
}
