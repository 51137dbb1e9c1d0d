package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What signals do to `sluice proxy` as a process of its own.
@EnabledOnOs(OS.LINUX)
@Timeout(60)
class SignalsTest {
    private static final Pattern SERVING =
            Pattern.compile("serving on \\S+:(\\d+) .* admin port and page at (http://\\S+)");

    /// No test waits for it: what ends before has not waited.
    private static final Duration LONG = Duration.ofSeconds(50);

    @TempDir Path folder;
    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void endAll() {
        started.forEach(Process::destroyForcibly);
    }

    @Test
    void ctrlCStopsAProxyWithoutCallsAtOnce() throws Exception {
        Running proxy = start("http://127.0.0.1:9", LONG);

        proxy.signal("INT");

        assertThat(proxy.process.waitFor(LONG.toSeconds() / 2, TimeUnit.SECONDS)).isTrue();
        assertThat(proxy.process.exitValue()).isZero();
        assertThat(proxy.rest()).contains("stopped").doesNotContain("accepting for");
    }

    @Test
    void ctrlCLetsARunningCallFinish() throws Exception {
        var asked = new CountDownLatch(1);
        var answer = new CountDownLatch(1);
        HttpServer engine = engine(asked, answer);
        try (HttpClient http = client()) {
            Running proxy = start("http://127.0.0.1:" + engine.getAddress().getPort(), LONG);
            CompletableFuture<HttpResponse<String>> call =
                    http.sendAsync(proxy.call(), BodyHandlers.ofString());
            asked.await();

            proxy.signal("INT");
            proxy.until("stopping: running calls finish");
            assertThat(call).isNotDone();
            answer.countDown();

            assertThat(call.get().statusCode()).isEqualTo(200);
            assertThat(call.get().body()).isEqualTo("{\"choices\":[]}");
            assertThat(proxy.process.waitFor()).isZero();
        } finally {
            answer.countDown();
            engine.stop(0);
        }
    }

    @Test
    void sigtermAcceptsForStopAfterAndSaysThatItIsNotReady() throws Exception {
        Duration stopAfter = Duration.ofSeconds(2);
        Running proxy = start("http://127.0.0.1:9", stopAfter);
        try (HttpClient http = client()) {
            long before = System.nanoTime();
            proxy.signal("TERM");
            proxy.until("accepting for 2s still");

            HttpRequest ready = HttpRequest.newBuilder(proxy.admin.resolve("/readyz")).build();
            HttpRequest models = HttpRequest.newBuilder(proxy.data.resolve("/v1/models")).build();
            assertThat(http.send(ready, BodyHandlers.ofString()).statusCode()).isEqualTo(503);
            assertThat(http.send(models, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
            assertThat(proxy.process.waitFor()).isZero();
            assertThat(Duration.ofNanos(System.nanoTime() - before))
                    .isGreaterThanOrEqualTo(stopAfter);
        }
    }

    @Test
    void aSecondSignalEndsAtOnce() throws Exception {
        Running proxy = start("http://127.0.0.1:9", LONG);
        proxy.signal("TERM");
        proxy.until("accepting for");

        proxy.signal("TERM");

        assertThat(proxy.process.waitFor(LONG.toSeconds() / 2, TimeUnit.SECONDS)).isTrue();
        assertThat(proxy.process.exitValue()).isEqualTo(130);
    }

    private record Running(Process process, BufferedReader log, URI data, URI admin) {
        void signal(String name) throws IOException, InterruptedException {
            Process kill =
                    new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid()))
                            .inheritIO()
                            .start();
            assertThat(kill.waitFor()).isZero();
        }

        /// Reads the log up to the line with these words.
        void until(String words) throws IOException {
            assertThat(line(log, words)).as("the log ended before: %s", words).contains(words);
        }

        /// What the log has to its end.
        String rest() {
            return String.join("\n", log.lines().toList());
        }

        HttpRequest call() {
            String body =
                    """
                    {"messages": [{"role": "user", "content": "Say something."}]}
                    """;
            return HttpRequest.newBuilder(data.resolve("/v1/chat/completions"))
                    .POST(HttpRequest.BodyPublishers.ofString(body))
                    .build();
        }
    }

    private Running start(String endpoint, Duration stopAfter) throws IOException {
        Path config =
                Files.writeString(
                        folder.resolve("sluice.yaml"),
                        """
                        listen: 127.0.0.1:0
                        admin: 127.0.0.1:0
                        server: {stop_after: %ds}
                        pools: [{name: a, endpoints: [{url: '%s'}]}]
                        """
                                .formatted(stopAfter.toSeconds(), endpoint));
        // Whoever runs the tests in the background of a shell has SIGINT ignored, and hands that
        // on.
        var command = new ArrayList<>(List.of("env", "--default-signal=INT"));
        command.addAll(SluiceCommand.words("proxy", "--config", config.toString()));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("SLUICE_LOG_FORMAT", "text");
        Process process = builder.start();
        started.add(process);
        BufferedReader log = process.inputReader();
        Matcher serving = SERVING.matcher(line(log, "serving on"));
        assertThat(serving.find()).isTrue();
        return new Running(
                process,
                log,
                URI.create("http://127.0.0.1:" + serving.group(1)),
                URI.create(serving.group(2)));
    }

    /// Java's own client asks for h2c otherwise, which the proxy refuses.
    private static HttpClient client() {
        return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    }

    /// The next line with these words, or all that came before the end.
    private static String line(BufferedReader log, String words) throws IOException {
        var before = new StringBuilder();
        for (String line = log.readLine(); line != null; line = log.readLine()) {
            if (line.contains(words)) {
                return line;
            }
            before.append(line).append('\n');
        }
        return before.toString();
    }

    /// Healthy, and answers calls when it may.
    private static HttpServer engine(CountDownLatch asked, CountDownLatch answer)
            throws IOException {
        HttpServer engine =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        engine.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        engine.createContext(
                "/",
                exchange -> {
                    try (exchange) {
                        if (exchange.getRequestMethod().equals("POST")) {
                            asked.countDown();
                            answer.await();
                        }
                        byte[] body = "{\"choices\":[]}".getBytes(StandardCharsets.UTF_8);
                        exchange.getResponseHeaders().set("content-type", "application/json");
                        exchange.sendResponseHeaders(200, body.length);
                        exchange.getResponseBody().write(body);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
        engine.start();
        return engine;
    }
}
