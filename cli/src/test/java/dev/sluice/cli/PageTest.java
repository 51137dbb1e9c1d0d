package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.ConfigFile;
import dev.sluice.proxy.Proxy;
import dev.sluice.shared.AdminJson;
import dev.sluice.shared.ScalingStatus;
import dev.sluice.simulator.Simulator;
import dev.sluice.simulator.SimulatorConfig;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The admin page in a real browser, before a real proxy with simulated replicas. Pictures of it go
/// to `target/page`.
@Timeout(180)
class PageTest {
    private static final String HOSTILE = "<img src=x onerror=\"window.pwned=1\">";
    private static final String TOKEN = "the-token-that-may-change-things";
    private static final String READ = "the-token-that-may-only-look";
    private static final Path PICTURES = Path.of("target", "page");

    private static Chromium page;

    @TempDir Path folder;
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final List<Simulator> engines = new ArrayList<>();
    private final int admin = free();
    private String model = "llama-3.1-8b";
    private Proxy proxy;

    @BeforeAll
    static void openBrowser() throws IOException {
        Path program = Chromium.installed();
        Assumptions.assumeTrue(program != null, "needs Chromium: apt-get install chromium");
        page = new Chromium(program);
    }

    @AfterAll
    static void closeBrowser() throws IOException {
        if (page != null) {
            page.close();
        }
    }

    @BeforeEach
    void lookByDay() {
        page.look(1280, 900, false);
    }

    @AfterEach
    void stop() throws Exception {
        page.open("about:blank");
        if (proxy != null) {
            proxy.close();
        }
        engines.forEach(Simulator::close);
    }

    private static int free() {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// @param more top-level configuration
    private void start(String more) throws IOException {
        while (engines.size() < 2) {
            engines.add(Simulator.start(SimulatorConfig.defaults().withServedModel(model)));
        }
        Path file = folder.resolve("sluice.yaml");
        Files.writeString(file, config("127.0.0.1:0", more));
        var from = new ConfigFile(file, c -> c);
        proxy = Proxy.start(from.read(), from, _ -> {});
    }

    private String config(String listen, String more) {
        return """
        listen: %s
        admin: 127.0.0.1:%d
        server: {stop_after: 0s}
        drain_timeout: 1s
        aliases: {gpt-4o: '%s'}
        %s
        pools:
          - name: llama
            cap: 8
            health: {interval: 500ms, slow_start: 0s}
            endpoints:
              - {url: %s}
              - {url: %s, weight: 2}
        """
                .formatted(listen, admin, model, more, engines.get(0).url(), engines.get(1).url());
    }

    private String admin() {
        return "http://127.0.0.1:" + admin + "/";
    }

    private int call(String id, int tokens) {
        String body =
                AdminJsonText.of(
                        Map.of(
                                "model",
                                model,
                                "stream",
                                true,
                                "max_tokens",
                                tokens,
                                "messages",
                                List.of(Map.of("role", "user", "content", "Hello"))));
        try {
            return client.send(
                            HttpRequest.newBuilder(
                                            URI.create(
                                                    "http://127.0.0.1:"
                                                            + proxy.port()
                                                            + "/v1/chat/completions"))
                                    .header("content-type", "application/json")
                                    .header("x-request-id", id)
                                    .POST(HttpRequest.BodyPublishers.ofString(body))
                                    .build(),
                            BodyHandlers.ofString())
                    .statusCode();
        } catch (IOException e) {
            return 0;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void awaitServed() {
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> call("warm", 2) == 200);
    }

    private void scaling(ScalingStatus status) throws Exception {
        var answer =
                client.send(
                        HttpRequest.newBuilder(URI.create(admin() + "admin/v1/scaling"))
                                .POST(
                                        HttpRequest.BodyPublishers.ofByteArray(
                                                AdminJson.bytes(status)))
                                .build(),
                        BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    }

    private static ScalingStatus scaler(String text) {
        long now = System.currentTimeMillis();
        return new ScalingStatus(
                text,
                "llama",
                now,
                false,
                1,
                6,
                3,
                2,
                2,
                1,
                0,
                "load",
                text,
                Map.of("work", 9.5),
                List.of(new ScalingStatus.Condition("Limited", text, now)),
                List.of(
                        new ScalingStatus.Decision(now - 5_000, 2, 3, "load", text, Map.of()),
                        new ScalingStatus.Decision(now - 60_000, 1, 2, "load", text, Map.of())));
    }

    @Test
    void showsEveryPanelWithWhatHappens() throws Exception {
        start("");
        awaitServed();
        scaling(scaler("process vllm"));
        page.open(admin());
        page.await("document.querySelectorAll('#rows tr').length === 2");
        for (int i = 0; i < 12; i++) {
            assertThat(call("call-" + i, 20)).isEqualTo(200);
        }
        page.await("document.querySelectorAll('#lines tr').length > 10");
        page.await("document.querySelector('#rows').textContent.includes('healthy')");
        assertThat(page.text("#tiles")).contains("Calls", "In flight", "TTFT, median");
        page.await(
                "document.querySelector('#tiles .tile:nth-child(4)"
                        + " dd').textContent.includes('ms')");
        page.await("document.querySelector('#gauges').textContent.includes('0 of 16')");
        assertThat(page.text("#gauges")).contains("Processors", "%");
        assertThat(page.text("#findings")).contains("Limited");
        assertThat(page.text("#scalers")).contains("Desired3", "2 → 3", "pool llama, 1 to 6");
        assertThat(page.text("#effective")).contains("pools:", "name: llama", "slots: 8");
        assertThat(page.eval("document.querySelector('#question').value").asText())
                .contains("\"model\"");
        assertThat(page.errors()).isEmpty();
        for (boolean dark : List.of(false, true)) {
            page.look(1280, 900, dark);
            String paper = page.eval("getComputedStyle(document.body).backgroundColor").asText();
            assertThat(paper).isEqualTo(dark ? "rgb(17, 19, 21)" : "rgb(247, 246, 243)");
            page.screenshot(PICTURES.resolve(dark ? "dark.png" : "light.png"));
        }
        page.click("#theme");
        assertThat(page.eval("getComputedStyle(document.body).backgroundColor").asText())
                .isEqualTo("rgb(247, 246, 243)");
        page.eval("localStorage.clear()");
        page.look(390, 800, false);
        assertThat(page.eval("document.documentElement.scrollWidth").asInt())
                .as("no sideways scrolling on a phone")
                .isLessThanOrEqualTo(390);
        page.screenshot(PICTURES.resolve("phone.png"));
    }

    @Test
    void explainsWhereACallWouldGoAndWhyNotElsewhere() throws Exception {
        start("");
        awaitServed();
        page.open(admin());
        page.await("document.querySelectorAll('#rows tr').length === 2");
        String out = engines.get(0).url().substring("http://".length());
        // Disabled until the page knows that it may write.
        page.await("!document.querySelector('#rows button').disabled");
        page.eval("[...document.querySelectorAll('#rows button')][0].click()");
        page.await("document.querySelector('#rows').textContent.includes('draining')");
        page.await("document.querySelector('#toast').textContent.includes('draining')");
        page.eval("document.querySelector('#question').value = '{\"model\": \"gpt-4o\"}'");
        page.click("#ask button");
        page.await("document.querySelectorAll('#candidates tbody tr').length === 2");
        assertThat(page.text("#verdict"))
                .isEqualTo(
                        "It would go to "
                                + engines.get(1).url().substring("http://".length())
                                + ".");
        assertThat(page.text("#terms")).contains("least_loaded", "alias gpt-4o means");
        assertThat(page.text("#candidates tr.out")).contains(out, "state: draining");
        page.eval("document.querySelector('#question').value = '{\"model\": \"nobody\"}'");
        page.click("#ask button");
        page.await("document.querySelector('#verdict').textContent.includes('404')");
        page.eval("document.querySelector('#question').value = 'warm'");
        page.click("#ask button");
        page.await("document.querySelector('#explain').open");
        assertThat(page.text("#explain")).contains("Attempt 1 went to", "first token");
        page.screenshot(PICTURES.resolve("call.png"));
        page.press("Escape");
        page.await("!document.querySelector('#explain').open");
        page.screenshot(PICTURES.resolve("explained.png"));
        assertThat(page.errors()).isEmpty();
    }

    @Test
    void findsCallsByWordsAndStandsStillWhenPaused() throws Exception {
        start("");
        awaitServed();
        page.open(admin());
        call("needle-1", 3);
        call("hay", 3);
        page.await("document.querySelector('#lines').textContent.includes('hay')");
        page.press("/");
        page.type("NEEDLE 200");
        page.await("document.querySelectorAll('#lines tr').length === 1");
        assertThat(page.text("#lines")).contains("needle-1");
        page.eval(
                "{ const f = document.querySelector('#filter'); f.value = '';"
                        + " f.dispatchEvent(new Event('input')); }");
        page.await("document.querySelectorAll('#lines tr').length > 1");
        page.press("Escape");
        page.press("p");
        call("later", 3);
        String beat = page.text("#about");
        page.await("document.querySelector('#about').textContent !== '" + beat + "'");
        assertThat(page.text("#lines")).doesNotContain("later");
        page.press("p");
        page.await("document.querySelector('#lines').textContent.includes('later')");
        assertThat(page.errors()).isEmpty();
    }

    @Test
    void canBeWalkedByKeyboardAlone() throws Exception {
        start("");
        awaitServed();
        page.open(admin());
        page.await("document.querySelectorAll('#rows tr').length === 2");
        page.press("Tab");
        assertThat(focus("className")).isEqualTo("skip");
        assertThat(
                        page.eval("document.activeElement.getBoundingClientRect().left >= 0")
                                .asBoolean())
                .as("the skip link shows itself")
                .isTrue();
        List<String> seen = new ArrayList<>();
        for (int i = 0; i < 40 && !seen.contains("check"); i++) {
            page.press("Tab");
            assertThat(
                            page.eval(
                                            "getComputedStyle(document.activeElement).outlineStyle"
                                                    + " !== 'none'")
                                    .asBoolean())
                    .as("focus shows on " + focus("outerHTML"))
                    .isTrue();
            seen.add(focus("id"));
            if (focus("textContent").equals("Check another configuration")) {
                page.press("Enter");
            }
        }
        assertThat(seen)
                .containsSubsequence(
                        "theme",
                        "help",
                        "question",
                        "filter",
                        "pause",
                        "effective",
                        "compare",
                        "reload",
                        "yaml",
                        "check");
        page.eval("document.activeElement.blur()");
        for (int i = 1; i <= 6; i++) {
            page.press(String.valueOf(i));
            assertThat(focus("id")).startsWith("h-");
        }
        assertThat(focus("id")).isEqualTo("h-configuration");
        page.press("?");
        page.await("document.querySelector('#keys').open");
        assertThat(page.text("#keys")).contains("Filter the calls", "Explain a request");
        page.screenshot(PICTURES.resolve("keys.png"));
        page.press("Escape");
        page.await("!document.querySelector('#keys').open");
        page.press("e");
        assertThat(focus("id")).isEqualTo("question");
        page.press("Escape");
        page.press("/");
        assertThat(focus("id")).isEqualTo("filter");
        assertThat(page.errors()).isEmpty();
    }

    private String focus(String property) {
        return page.eval("document.activeElement." + property).asText();
    }

    @Test
    void saysThatItIsDisconnectedAndComesBackWithTheProxy() throws Exception {
        start("");
        awaitServed();
        page.open(admin());
        page.await("document.querySelectorAll('#rows tr').length === 2");
        assertThat(page.errors()).isEmpty();
        proxy.close();
        page.await("!document.querySelector('#banner').hidden");
        page.await("document.querySelector('#banner').textContent.includes('Disconnected')");
        assertThat(page.text("#banner")).contains("what you see is from");
        assertThat(page.text("#live")).contains("disconnected");
        page.screenshot(PICTURES.resolve("stale.png"));
        start("");
        awaitServed();
        page.await("document.querySelector('#banner').hidden");
        page.await("document.querySelector('#live').textContent.includes('live, ready')");
        page.errors(); // refused connections are errors to the browser
    }

    @Test
    void changesNothingWithoutTheAdminToken() throws Exception {
        start("admin_token: " + TOKEN + "\nadmin_read_token: " + READ);
        awaitServed();
        page.open("http://reader:" + READ + "@127.0.0.1:" + admin + "/");
        page.await("document.querySelectorAll('#rows tr').length === 2");
        page.await("!document.querySelector('#access').hidden");
        page.await("[...document.querySelectorAll('#rows button')].every(b => b.disabled)");
        assertThat(page.eval("document.querySelector('#reload').disabled").asBoolean()).isTrue();
        assertThat(
                        page.eval(
                                        "fetch(location.origin + '/admin/v1/endpoints/"
                                                + engines.get(0).url().substring(7)
                                                + ":drain', {method: 'POST'}).then(r => r.status)")
                                .asInt())
                .isEqualTo(403);
        page.errors();
        page.click("#access");
        page.screenshot(PICTURES.resolve("unlock.png"));
        page.eval("document.querySelector('#token').value = 'wrong'");
        page.click("#unlock form button");
        page.await("document.querySelector('#toast').textContent.includes('not the admin token')");
        page.errors(); // the 401
        page.eval("document.querySelector('#token').value = '" + TOKEN + "'");
        page.click("#unlock form button");
        page.await("document.querySelector('#access').hidden");
        page.await("[...document.querySelectorAll('#rows button')].every(b => !b.disabled)");
        page.eval("[...document.querySelectorAll('#rows button')][0].click()");
        page.await("document.querySelector('#rows').textContent.includes('draining')");
        assertThat(page.errors()).isEmpty();
    }

    @Test
    void comparesTheConfigurationWithTheFileAndHidesSecrets() throws Exception {
        start("admin_token: " + TOKEN);
        awaitServed();
        page.open("http://me:" + TOKEN + "@127.0.0.1:" + admin + "/");
        page.await("document.querySelector('#effective').textContent.includes('pools:')");
        assertThat(page.text("#effective")).contains("(set)").doesNotContain(TOKEN);
        page.click("#compare");
        page.await("document.querySelector('#compared').textContent.includes('The same')");
        Files.writeString(
                folder.resolve("sluice.yaml"), config("127.0.0.1:1", "admin_token: " + TOKEN));
        page.click("#compare");
        page.await("document.querySelector('#compared').textContent.includes('next start only')");
        assertThat(page.text("#compared")).contains("listen", "127.0.0.1:1");
        page.eval("document.querySelector('#yaml').value = 'pools: [{name: a, polcy: x}]'");
        page.click("#check");
        page.await("document.querySelector('#compared').textContent.includes('did you mean')");
        page.screenshot(PICTURES.resolve("configuration.png"));
    }

    @Test
    void runsNothingThatEnginesClientsOrScalersNamed() throws Exception {
        model = HOSTILE;
        start("");
        awaitServed();
        scaling(scaler(HOSTILE));
        assertThat(raw(HOSTILE)).contains(" 200 ");
        page.open(admin());
        page.await("document.querySelector('#lines').textContent.includes('onerror')");
        page.await("document.querySelector('#scalers').textContent.includes('onerror')");
        page.await("document.querySelector('#endpoint-sum').textContent.includes('onerror')");
        page.click("#lines button");
        page.await("document.querySelector('#explain').textContent.includes('onerror')");
        page.press("Escape");
        page.click("#ask button");
        page.await("!document.querySelector('#answer').hidden");
        assertThat(page.eval("document.querySelectorAll('img').length").asInt()).isZero();
        assertThat(page.eval("window.pwned === undefined").asBoolean()).isTrue();
        assertThat(page.errors()).isEmpty();
        page.eval(
                "{ const s = document.createElement('script'); s.textContent ="
                        + " 'window.pwned = 2'; document.body.append(s); }");
        assertThat(page.eval("window.pwned === undefined").asBoolean())
                .as("the policy runs no script that is not of the page")
                .isTrue();
        assertThat(page.errors()).anyMatch(e -> e.contains("Content Security Policy"));
    }

    /// A call whose header no client library would write.
    private String raw(String id) throws IOException {
        String body = AdminJsonText.of(Map.of("model", HOSTILE, "prompt", "x", "max_tokens", 2));
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port())) {
            socket.getOutputStream()
                    .write(
                            ("POST /v1/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                            + "Content-Type: application/json\r\nX-Request-Id: "
                                            + id
                                            + "\r\nContent-Length: "
                                            + body.length()
                                            + "\r\n\r\n"
                                            + body)
                                    .getBytes(StandardCharsets.UTF_8));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /// Maps as JSON.
    private static final class AdminJsonText {
        static String of(Map<String, ?> map) {
            return new String(AdminJson.bytes(map), StandardCharsets.UTF_8);
        }
    }
}
