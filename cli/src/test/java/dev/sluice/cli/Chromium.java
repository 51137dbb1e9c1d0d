package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/// One tab of a headless Chromium, driven over the DevTools protocol, which is JSON on a WebSocket:
/// the JDK has all that it takes. What the page logs as an error or fails to load is kept.
final class Chromium implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final List<String> NAMES =
            List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");

    private final Process process;
    private final Path profile;
    private final WebSocket socket;
    private final AtomicInteger ids = new AtomicInteger();
    private final Map<Integer, CompletableFuture<JsonNode>> asked = new ConcurrentHashMap<>();
    private final List<String> errors = new CopyOnWriteArrayList<>();
    private @Nullable String session;

    /// The browser of this machine; null where there is none.
    static @Nullable Path installed() {
        for (String folder : System.getenv("PATH").split(File.pathSeparator)) {
            for (String name : NAMES) {
                Path path = Path.of(folder, name);
                if (Files.isExecutable(path)) {
                    return path;
                }
            }
        }
        return null;
    }

    Chromium(Path program) throws IOException {
        profile = Files.createTempDirectory("chromium-");
        process =
                new ProcessBuilder(
                                program.toString(),
                                "--headless=new",
                                "--no-sandbox",
                                "--disable-gpu",
                                "--disable-dev-shm-usage",
                                "--no-first-run",
                                "--remote-debugging-port=0",
                                "--user-data-dir=" + profile,
                                "about:blank")
                        .redirectErrorStream(true)
                        .redirectOutput(profile.resolve("log").toFile())
                        .start();
        Path port = profile.resolve("DevToolsActivePort");
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> Files.exists(port) && Files.readAllLines(port).size() == 2);
        List<String> where = Files.readAllLines(port);
        socket =
                HttpClient.newHttpClient()
                        .newWebSocketBuilder()
                        .buildAsync(
                                URI.create("ws://127.0.0.1:" + where.get(0) + where.get(1)),
                                new Messages())
                        .join();
        String target =
                send("Target.createTarget", Map.of("url", "about:blank")).path("targetId").asText();
        session =
                send("Target.attachToTarget", Map.of("targetId", target, "flatten", true))
                        .path("sessionId")
                        .asText();
        send("Page.enable", Map.of());
        send("Runtime.enable", Map.of());
        send("Log.enable", Map.of());
    }

    void open(String url) {
        send("Page.navigate", Map.of("url", url));
    }

    /// @param dark what the system says that its user prefers
    void look(int width, int height, boolean dark) {
        send(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
        send(
                "Emulation.setEmulatedMedia",
                Map.of(
                        "features",
                        List.of(
                                Map.of(
                                        "name",
                                        "prefers-color-scheme",
                                        "value",
                                        dark ? "dark" : "light"))));
    }

    /// The value of an expression, promises awaited.
    JsonNode eval(String expression) {
        JsonNode answer =
                send(
                        "Runtime.evaluate",
                        Map.of(
                                "expression",
                                expression,
                                "returnByValue",
                                true,
                                "awaitPromise",
                                true));
        if (answer.has("exceptionDetails")) {
            throw new AssertionError(expression + ": " + answer.path("exceptionDetails"));
        }
        return answer.path("result").path("value");
    }

    String text(String selector) {
        return eval("document.querySelector(" + quoted(selector) + ").textContent").asText();
    }

    void click(String selector) {
        eval("document.querySelector(" + quoted(selector) + ").click()");
    }

    /// Waits until an expression is true.
    void await(String expression) {
        Awaitility.await(expression)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> eval("!!(" + expression + ")").asBoolean());
    }

    /// As a finger on the keyboard: `Tab`, `Enter`, `Escape` or a character.
    void press(String key) {
        var down = JSON.createObjectNode().put("type", "keyDown").put("key", key);
        switch (key) {
            case "Tab" -> down.put("windowsVirtualKeyCode", 9);
            case "Enter" -> down.put("windowsVirtualKeyCode", 13).put("text", "\r");
            case "Escape" -> down.put("windowsVirtualKeyCode", 27);
            default -> down.put("text", key);
        }
        send("Input.dispatchKeyEvent", down);
        send("Input.dispatchKeyEvent", Map.of("type", "keyUp", "key", key));
    }

    void type(String text) {
        send("Input.insertText", Map.of("text", text));
    }

    /// The whole page, whatever its height.
    void screenshot(Path png) throws IOException {
        String data =
                send(
                                "Page.captureScreenshot",
                                Map.of("format", "png", "captureBeyondViewport", true))
                        .path("data")
                        .asText();
        Files.createDirectories(png.toAbsolutePath().getParent());
        Files.write(png, Base64.getDecoder().decode(data));
    }

    /// What went wrong in the page since the last time this was asked.
    List<String> errors() {
        List<String> out = List.copyOf(errors);
        errors.clear();
        return out;
    }

    @Override
    public void close() throws IOException {
        socket.abort();
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        process.onExit().join();
        try (Stream<Path> files = Files.walk(profile)) {
            files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
        }
    }

    private static String quoted(String text) {
        return JSON.valueToTree(text).toString();
    }

    private JsonNode send(String method, Object params) {
        int id = ids.incrementAndGet();
        ObjectNode message = JSON.createObjectNode().put("id", id).put("method", method);
        message.set("params", JSON.valueToTree(params));
        if (session != null) {
            message.put("sessionId", session);
        }
        var answer = new CompletableFuture<JsonNode>();
        asked.put(id, answer);
        socket.sendText(message.toString(), true).join();
        return answer.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
    }

    private void heard(JsonNode message) {
        if (message.has("id")) {
            CompletableFuture<JsonNode> answer = asked.remove(message.path("id").asInt());
            if (message.has("error")) {
                answer.completeExceptionally(new AssertionError(message.path("error").toString()));
            } else {
                answer.complete(message.path("result"));
            }
            return;
        }
        JsonNode params = message.path("params");
        switch (message.path("method").asText()) {
            case "Runtime.exceptionThrown" -> errors.add(params.toString());
            case "Runtime.consoleAPICalled" -> {
                if (params.path("type").asText().equals("error")) {
                    errors.add(params.path("args").toString());
                }
            }
            case "Log.entryAdded" -> {
                if (params.at("/entry/level").asText().equals("error")) {
                    errors.add(params.path("entry").toString());
                }
            }
            default -> {}
        }
    }

    private final class Messages implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public @Nullable CompletionStage<?> onText(
                WebSocket from, CharSequence part, boolean last) {
            text.append(part);
            if (last) {
                try {
                    heard(JSON.readTree(text.toString()));
                } catch (IOException e) {
                    errors.add("not JSON: " + text);
                }
                text.setLength(0);
            }
            from.request(1);
            return null;
        }
    }
}
