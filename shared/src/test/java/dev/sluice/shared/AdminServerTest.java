package dev.sluice.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.io.InputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

@Timeout(30)
class AdminServerTest {
    private static final String TOKEN = "a-token-of-16-characters";

    record Body(String url, @Nullable Integer weight) {}

    private final CountDownLatch feedEnded = new CountDownLatch(1);
    private final HttpClient client = HttpClient.newHttpClient();
    private AdminServer server = start((String) null);

    private AdminServer start(@Nullable String token) {
        return start(new AdminConfig("127.0.0.1", 0, token));
    }

    private AdminServer start(AdminConfig config) {
        return AdminServer.start(
                config,
                List.of(
                        AdminRoute.open("/livez", r -> AdminAnswer.text(200, "ok\n")),
                        AdminRoute.get(
                                "/access", r -> AdminAnswer.ok(Map.of("write", r.mayWrite()))),
                        AdminRoute.ask("/ask", r -> AdminAnswer.ok(Map.of("asked", r.body()))),
                        AdminRoute.get(
                                "/admin/v1/things/{id}",
                                r ->
                                        AdminAnswer.ok(
                                                Map.of(
                                                        "id",
                                                        r.path("id"),
                                                        "limit",
                                                        r.number("limit", 5, 1, 10)))),
                        AdminRoute.post(
                                "/admin/v1/things/{id}:drain",
                                r -> AdminAnswer.ok(Map.of("drained", r.path("id")))),
                        AdminRoute.post(
                                "/admin/v1/things", r -> AdminAnswer.ok(r.strict(Body.class))),
                        AdminRoute.get(
                                "/bug",
                                r -> {
                                    throw new IllegalStateException("secret detail");
                                }),
                        AdminRoute.get("/events", r -> new AdminAnswer.Events(this::feed))));
    }

    private void feed(AdminAnswer.Sink sink) throws IOException, InterruptedException {
        try {
            sink.send("tick", "{\"n\":1}".getBytes(StandardCharsets.UTF_8));
            new CountDownLatch(1).await();
        } finally {
            feedEnded.countDown();
        }
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private HttpResponse<String> send(String method, String path, String body, String... headers)
            throws Exception {
        var request =
                HttpRequest.newBuilder(URI.create(server.url() + path))
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .timeout(Duration.ofSeconds(10));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /// Sends a head as it is, since a real client writes its own Host.
    private String raw(String head) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write((head + "Connection: close\r\n\r\n").getBytes(StandardCharsets.UTF_8));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void readsVariablesAndVerbsAndNumbers() throws Exception {
        assertThat(send("GET", "/admin/v1/things/10.0.0.1:80?limit=7", "").body())
                .contains("\"id\":\"10.0.0.1:80\"")
                .contains("\"limit\":7");
        assertThat(send("POST", "/admin/v1/things/%5B::1%5D:80:drain", "").body())
                .isEqualTo("{\"drained\":\"[::1]:80\"}");
        assertThat(send("GET", "/admin/v1/things/x?limit=0", "").body())
                .contains("\"field\":\"limit\"")
                .contains("1 to 10");
    }

    @Test
    void namesTheFieldOfABadBody() throws Exception {
        var wrong = send("POST", "/admin/v1/things", "{\"url\":\"x\",\"wieght\":2}");
        assertEquals(400, wrong.statusCode());
        assertThat(wrong.body())
                .contains("\"field\":\"wieght\"")
                .contains("did you mean weight?")
                .doesNotContain("java");
        assertThat(send("POST", "/admin/v1/things", "{\"weight\":\"much\"}").body())
                .contains("\"field\":\"weight\"")
                .doesNotContain("java");
        assertThat(send("POST", "/admin/v1/things", "{\"url\":").body()).contains("not JSON");
        assertThat(send("POST", "/admin/v1/things", "").body()).contains("no body");
        assertThat(send("POST", "/admin/v1/things", "{\"url\":\"x\"}").body())
                .isEqualTo("{\"url\":\"x\",\"weight\":null}");
    }

    @Test
    void refusesABodyOverTheLimit() throws Exception {
        assertEquals(413, send("POST", "/admin/v1/things", "x".repeat((1 << 20) + 1)).statusCode());
    }

    @Test
    void listsNearPathsAndMethods() throws Exception {
        var nothing = send("GET", "/admin/v1/thing", "");
        assertEquals(404, nothing.statusCode());
        assertThat(nothing.body()).contains("near: ").contains("GET /admin/v1/things/{id}");
        var method = send("DELETE", "/admin/v1/things", "");
        assertEquals(405, method.statusCode());
        assertEquals("POST", method.headers().firstValue("allow").orElse(""));
    }

    @Test
    void keepsTheDetailOfABugToItself() throws Exception {
        var bug = send("GET", "/bug", "");
        assertEquals(500, bug.statusCode());
        assertThat(bug.body()).contains("internal_error").doesNotContain("secret");
    }

    @Test
    void asksForTheTokenExceptAtOpenRoutes() throws Exception {
        server.close();
        server = start(TOKEN);
        String basic =
                Base64.getEncoder()
                        .encodeToString(("any:" + TOKEN).getBytes(StandardCharsets.UTF_8));
        String path = "/admin/v1/things/x";
        assertEquals(200, send("GET", "/livez", "").statusCode());
        assertEquals(401, send("GET", path, "").statusCode());
        assertEquals(401, send("GET", "/nothing", "").statusCode());
        assertEquals(401, send("GET", path, "", "Authorization", "Bearer no").statusCode());
        assertEquals(401, send("GET", path, "", "Authorization", "Basic %%").statusCode());
        assertEquals(200, send("GET", path, "", "Authorization", "Bearer " + TOKEN).statusCode());
        assertEquals(200, send("GET", path, "", "Authorization", "Basic " + basic).statusCode());
    }

    @Test
    void answersToItsOwnNamesOnly() throws Exception {
        String get = "GET /admin/v1/things/x HTTP/1.1\r\n";
        assertThat(raw(get + "Host: evil.example:80\r\n")).startsWith("HTTP/1.1 403");
        assertThat(raw(get + "Host: localhost:1\r\n")).startsWith("HTTP/1.1 200");
        assertThat(raw(get + "Host: [::1]:1\r\n")).startsWith("HTTP/1.1 200");
        assertThat(raw(get + "Host: 127.0.0.1\r\nHost: evil\r\n")).startsWith("HTTP/1.1 403");
        assertThat(raw("GET /livez HTTP/1.1\r\nHost: 10.1.2.3\r\n")).startsWith("HTTP/1.1 200");
    }

    @Test
    void refusesChangesFromAnotherSite() throws Exception {
        String path = "/admin/v1/things/x:drain";
        assertEquals(403, send("POST", path, "", "Origin", "http://evil.example").statusCode());
        assertEquals(403, send("POST", path, "", "Sec-Fetch-Site", "cross-site").statusCode());
        assertEquals(200, send("POST", path, "", "Origin", server.url().toString()).statusCode());
    }

    @Test
    void stopsWithinASecondWhileAStreamIsOpen() throws Exception {
        var request = HttpRequest.newBuilder(URI.create(server.url() + "/events")).build();
        var answer = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        assertEquals("text/event-stream", answer.headers().firstValue("content-type").orElse(""));
        InputStream in = answer.body();
        assertEquals(
                "event: tick\ndata: {\"n\":1}\n\n",
                new String(in.readNBytes(27), StandardCharsets.UTF_8));
        assertTimeoutPreemptively(Duration.ofSeconds(1), server::close);
        assertTrue(feedEnded.await(1, TimeUnit.SECONDS));
    }

    @Test
    void letsTheReadTokenLookAndAskAndChangeNothing() throws Exception {
        server.close();
        String read = "another-of-16-characters";
        server = start(new AdminConfig("127.0.0.1", 0, TOKEN, read));
        String[] reader = {"Authorization", "Bearer " + read};
        String[] writer = {"Authorization", "Bearer " + TOKEN};
        assertEquals("{\"write\":false}", send("GET", "/access", "", reader).body());
        assertEquals("{\"write\":true}", send("GET", "/access", "", writer).body());
        assertEquals(401, send("GET", "/access", "").statusCode());
        assertEquals(200, send("POST", "/ask", "x", reader).statusCode());
        var refused = send("POST", "/admin/v1/things/x:drain", "", reader);
        assertEquals(403, refused.statusCode());
        assertThat(refused.body()).contains("\"code\":\"read_only\"", "send admin_token");
        assertEquals(200, send("POST", "/admin/v1/things/x:drain", "", writer).statusCode());
    }

    @Test
    void saysHowToGetOutOfAPortInUse() throws Exception {
        try (var taken = new ServerSocket(0)) {
            var config = new AdminConfig("127.0.0.1", taken.getLocalPort(), null);
            assertThatThrownBy(() -> AdminServer.start(config, List.of()))
                    .hasCauseInstanceOf(BindException.class)
                    .hasMessageContaining("127.0.0.1:" + taken.getLocalPort())
                    .hasMessageContaining("admin:, or --admin");
        }
    }

    @Test
    void doesNotOpenToTheNetworkWithoutAToken() {
        assertThatThrownBy(() -> AdminServer.start(new AdminConfig("0.0.0.0", 0, null), List.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("admin_token");
        assertThatThrownBy(() -> config("admin: 0.0.0.0:9901"))
                .hasMessageContaining("line 1")
                .hasMessageContaining("admin_token");
        assertThatThrownBy(() -> config("admin_token: short")).hasMessageContaining("16 or more");
        assertThatThrownBy(() -> config("admin: 9901")).hasMessageContaining("127.0.0.1:9901");
        assertEquals(
                new AdminConfig("::1", 9901, TOKEN),
                config("admin: \"[::1]:9901\"\nadmin_token: " + TOKEN));
        assertEquals(new AdminConfig("127.0.0.1", 9901, null), config(""));
        assertThatThrownBy(() -> config("admin_read_token: " + TOKEN))
                .hasMessageContaining("goes with an admin_token");
        assertThatThrownBy(() -> config("admin_token: " + TOKEN + "\nadmin_read_token: " + TOKEN))
                .hasMessageContaining("is the admin_token");
    }

    private static AdminConfig config(String text) {
        return ConfigSource.parse(
                "sluice.yaml",
                text,
                Map.<String, String>of()::get,
                n -> AdminConfig.from(n, "127.0.0.1:9901"));
    }
}
