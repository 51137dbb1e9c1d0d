package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.sluice.proxy.ConfigFile;
import dev.sluice.proxy.Proxy;
import dev.sluice.proxy.accounting.CallRecord;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/// A configuration is replaced while calls run.
@Timeout(120)
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class ReloadFlowTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CALL = "{\"model\":\"m\"}";
    private static final String DIGEST_A =
            "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    private static final String DIGEST_B =
            "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";

    private final HttpClient http = HttpClient.newHttpClient();
    private final Origin one = new Origin();
    private final Origin two = new Origin();
    private final List<CallRecord> records = new CopyOnWriteArrayList<>();
    private final CountDownLatch go = new CountDownLatch(1);
    @TempDir private Path folder;
    private Path file;
    private Proxy proxy;

    ReloadFlowTest() throws IOException {}

    @BeforeEach
    void start() throws Exception {
        file = folder.resolve("sluice.yaml");
        Files.writeString(file, config(pool("m", "round_robin", one)));
        var from = new ConfigFile(file, config -> config);
        proxy = Proxy.start(from.read(), from, records::add);
        awaitUsable(1);
    }

    @AfterEach
    void close() throws Exception {
        go.countDown();
        proxy.close();
        one.close();
        two.close();
    }

    @Test
    void failsNoCallWhileReloadedAgainAndAgainUnderLoad() throws Exception {
        var stop = new AtomicBoolean();
        var calls = new AtomicInteger();
        var clients =
                List.of(1, 2, 3, 4).stream()
                        .map(_ -> CompletableFuture.supplyAsync(() -> load(stop, calls)))
                        .toList();
        for (int i = 0; i < 8; i++) {
            String policy = i % 2 == 0 ? "least_loaded" : "weighted";
            Origin[] endpoints = i % 3 == 0 ? new Origin[] {two} : new Origin[] {one, two};
            write(
                    pool("m", policy, endpoints)
                            + (i % 2 == 0 ? "" : pool("extra", "round_robin", one)));
            // Twice as often as once a second: the file is looked at four times a second.
            JsonNode told = post("/admin/v1/config:reload");
            assertThat(told.at("/result").asText()).isIn("applied", "unchanged");
            Thread.sleep(500);
        }
        stop.set(true);
        for (CompletableFuture<List<String>> client : clients) {
            assertThat(client.get(20, TimeUnit.SECONDS)).isEmpty();
        }
        assertThat(calls.get()).isGreaterThan(100);
        await().untilAsserted(() -> assertThat(records).hasSize(calls.get()));
        assertThat(get("/admin/v1/load").at("/pools/0/in_flight").asInt()).isZero();
    }

    @Test
    void takesAChangedFileOverByItself() throws Exception {
        write(pool("m", "round_robin", one) + pool("n", "round_robin", two));
        await().until(() -> status("{\"model\":\"n\"}") == 200);
        assertThat(get("/admin/v1/config").at("/last_reload/by").asText()).contains("file");
        assertThat(metric("sluice_config_last_reload_success")).isEqualTo(1);
    }

    @Test
    void changesNothingByAFileThatIsWrongAndSaysWhy() throws Exception {
        Files.writeString(file, config(pool("m", "round_robbin", one) + "colour: red\n"));
        await().until(() -> metric("sluice_config_last_reload_success") == 0);
        assertThat(status(CALL)).isEqualTo(200);
        JsonNode told = get("/admin/v1/status").at("/last_reload");
        assertThat(told.at("/result").asText()).isEqualTo("rejected");
        assertThat(told.at("/problems").toString())
                .contains("did you mean round_robin?")
                .contains("colour")
                .contains("\"line\":");
        assertThat(send("POST", "/admin/v1/config:reload", "").statusCode()).isEqualTo(400);
        write(pool("m", "round_robin", one));
        await().until(() -> metric("sluice_config_last_reload_success") == 1);
        assertThat(scrape()).contains("sluice_config_reloads_total{result=\"rejected\"} 2.0");
    }

    @Test
    void namesWhatNeedsARestartAndTakesTheRestOver() throws Exception {
        Files.writeString(
                file,
                "listen: 127.0.0.1:1\nadmin: 127.0.0.1:0\nserver: {loops: 7, stop_after: 0s}\n"
                        + "limits: {body: 5B, replay: 5B}\npools:\n"
                        + pool("m", "round_robin", one));
        JsonNode dry = post("/admin/v1/config:check");
        assertThat(status(CALL)).as("a check changes nothing").isEqualTo(200);
        JsonNode told = post("/admin/v1/config:reload");
        for (JsonNode each : List.of(dry, told)) {
            if (each.at("/result").asText().equals("applied")) {
                assertThat(each.at("/changes").findValuesAsText("path"))
                        .containsExactlyInAnyOrder("limits.body", "limits.replay");
            }
            assertThat(each.at("/need_restart").findValuesAsText("path"))
                    .containsExactlyInAnyOrder("listen", "server.loops");
        }
        assertThat(status(CALL)).isEqualTo(413);
        assertThat(get("/admin/v1/config").at("/config/calls/body_limit").asInt()).isEqualTo(5);
    }

    @Test
    void letsAStreamOfARemovedEndpointEndAndSendsItNothingNew() throws Exception {
        write(pool("m", "round_robin", one, two));
        awaitUsable(2);
        for (Origin origin : List.of(one, two)) {
            origin.on(
                    call -> {
                        call.body();
                        call.send(
                                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                        + "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n");
                        awaitGo();
                        call.send("e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
                    },
                    Origin.answering(Origin.OK));
        }
        try (var client = new RawClient(proxy.port())) {
            client.post("{\"model\":\"m\",\"stream\":true}");
            String head = client.readHead();
            Origin removed = head.contains(one.url()) ? one : two;
            Origin other = removed == one ? two : one;
            int before = removed.calls().size();
            other.on(Origin.answering(Origin.OK));
            write(pool("m", "round_robin", other));
            post("/admin/v1/config:reload");
            assertThat(get("/admin/v1/endpoints").toString())
                    .contains("removed: finishes what runs");
            go.countDown();
            for (int i = 0; i < 6; i++) {
                assertThat(status(CALL)).isEqualTo(200);
            }
            assertThat(removed.calls()).hasSize(before);
            assertThat(client.readUntil("0\r\n\r\n")).contains("[DONE]");
            await().until(() -> get("/admin/v1/endpoints").at("/endpoints").size() == 1);
        }
    }

    @Test
    void keepsWhatTheAdminPortRegistered() throws Exception {
        String body = JSON.writeValueAsString(Map.of("pool", "m", "url", two.url()));
        assertThat(send("POST", "/admin/v1/endpoints", body).statusCode()).isEqualTo(201);
        write(pool("m", "least_loaded", one));
        post("/admin/v1/config:reload");
        assertThat(get("/admin/v1/endpoints").at("/endpoints").size()).isEqualTo(2);
    }

    @Test
    void swapsKeysAndKeepsWhatTheOthersHaveUsed() throws Exception {
        String a = "  - {name: a, sha256: " + DIGEST_A + ", requests_per_minute: 2}\n";
        String b = "  - {name: b, sha256: " + DIGEST_B + "}\n";
        write(pool("m", "round_robin", one) + "keys:\n" + a);
        post("/admin/v1/config:reload");
        assertThat(status(CALL)).isEqualTo(401);
        assertThat(status(CALL, "b")).isEqualTo(401);
        assertThat(status(CALL, "a")).isEqualTo(200);
        assertThat(status(CALL, "a")).isEqualTo(200);
        write(pool("m", "round_robin", one) + "keys:\n" + a + b);
        JsonNode told = post("/admin/v1/config:reload");
        assertThat(told.toString()).contains("keys[b]").doesNotContain(DIGEST_B);
        assertThat(status(CALL, "b")).isEqualTo(200);
        assertThat(status(CALL, "a")).as("its two of this minute are gone").isEqualTo(429);
    }

    @Test
    void servesWhatAPoolHoldsBeforeItEnds() throws Exception {
        one.on(
                call -> {
                    call.body();
                    awaitGo();
                    call.send(Origin.OK);
                },
                Origin.answering(Origin.OK));
        write(pool("m", "round_robin", one).replace("policy:", "cap: 1\n    policy:"));
        post("/admin/v1/config:reload");
        try (var running = new RawClient(proxy.port());
                var queued = new RawClient(proxy.port())) {
            running.post(CALL);
            await().until(() -> get("/admin/v1/load").at("/pools/0/in_flight").asInt() == 1);
            queued.post(CALL);
            await().until(() -> get("/admin/v1/load").at("/pools/0/queued").asInt() == 1);
            write(pool("other", "round_robin", two));
            post("/admin/v1/config:reload");
            assertThat(status(CALL)).isEqualTo(404);
            go.countDown();
            assertThat(running.read().status()).isEqualTo(200);
            assertThat(queued.read().status()).isEqualTo(200);
        }
    }

    private List<String> load(AtomicBoolean stop, AtomicInteger calls) {
        var failed = new CopyOnWriteArrayList<String>();
        try (var client = new RawClient(proxy.port())) {
            while (!stop.get()) {
                calls.incrementAndGet();
                RawClient.Response answer = client.post(CALL).read();
                if (answer.status() != 200) {
                    failed.add(answer.head() + answer.body());
                }
                Thread.sleep(2);
            }
        } catch (IOException | InterruptedException e) {
            failed.add(e.toString());
        }
        return failed;
    }

    private void awaitGo() throws IOException {
        try {
            go.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static String config(String pools) {
        return "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nserver: {stop_after: 0s}\npools:\n"
                + pools;
    }

    private static String pool(String name, String policy, Origin... origins) {
        var text =
                new StringBuilder(
                        "  - name: "
                                + name
                                + "\n    models: ["
                                + name
                                + "]\n    policy: "
                                + policy
                                + "\n    endpoints:\n");
        for (Origin origin : origins) {
            text.append("      - url: ").append(origin.url()).append('\n');
        }
        return text.toString();
    }

    /// As an editor or a deployment does it: beside, then over.
    private void write(String pools) throws IOException {
        Path beside = folder.resolve("next");
        Files.writeString(beside, config(pools));
        Files.move(
                beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private int status(String json) throws IOException {
        try (var client = new RawClient(proxy.port())) {
            return client.post(json).read().status();
        }
    }

    private int status(String json, String key) throws IOException {
        try (var client = new RawClient(proxy.port())) {
            String request = RawClient.request(json);
            return client.send(
                            request.replace("Host: a\r\n", "Host: a\r\nx-api-key: " + key + "\r\n"))
                    .read()
                    .status();
        }
    }

    private void awaitUsable(int count) {
        await().until(
                        () ->
                                get("/admin/v1/endpoints").findValuesAsText("state").stream()
                                                .filter("healthy"::equals)
                                                .count()
                                        == count);
    }

    private HttpResponse<String> send(String method, String path, String body) throws Exception {
        return http.send(
                HttpRequest.newBuilder(URI.create(proxy.adminUrl() + path))
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private JsonNode get(String path) throws Exception {
        return JSON.readTree(send("GET", path, "").body());
    }

    private JsonNode post(String path) throws Exception {
        return JSON.readTree(send("POST", path, "").body());
    }

    private String scrape() throws Exception {
        return send("GET", "/metrics", "").body();
    }

    private double metric(String name) throws Exception {
        return scrape().lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElse(-1);
    }
}
