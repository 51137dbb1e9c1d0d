package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;

import dev.sluice.proxy.Proxy;
import dev.sluice.proxy.ProxyConfig;
import dev.sluice.proxy.accounting.CallRecord;

import io.netty.channel.epoll.Epoll;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// A second proxy takes the data port over from the first.
@Timeout(120)
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class SuccessionFlowTest {
    private static final String CALL = "{\"model\":\"m\"}";

    private final Origin origin = new Origin();
    private final CountDownLatch go = new CountDownLatch(1);
    private final AtomicBoolean stop = new AtomicBoolean();
    private final List<CallRecord> seenByFirst = new CopyOnWriteArrayList<>();
    private final List<CallRecord> seenBySecond = new CopyOnWriteArrayList<>();
    @TempDir private Path folder;
    private ProxyConfig config;
    private Proxy first;

    SuccessionFlowTest() throws IOException {}

    @BeforeEach
    void start() throws Exception {
        assumeTrue(Epoll.isAvailable(), "sockets are handed over on Linux only");
        int port;
        try (var free = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            port = free.getLocalPort();
        }
        String text =
                "listen: 127.0.0.1:"
                        + port
                        + "\nadmin: 127.0.0.1:0\nserver: {stop_after: 0s, reuse_port: true}\n"
                        + "pools:\n  - name: m\n    models: [m]\n    endpoints:\n      - url: "
                        + origin.url();
        config = ProxyConfig.read(Files.writeString(folder.resolve("sluice.yaml"), text));
        first = Proxy.start(config, seenByFirst::add);
        await().until(() -> call() == 200);
    }

    @AfterEach
    void close() throws Exception {
        stop.set(true);
        go.countDown();
        if (first != null) {
            first.close();
        }
        origin.close();
    }

    @Test
    void failsNoNewConnectionAndCutsNoStreamWhileTheSocketPasses() throws Exception {
        origin.on(
                call -> {
                    call.body();
                    call.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst!");
                    awaitGo();
                    call.send("last");
                },
                Origin.answering(Origin.OK));
        try (var stream = new RawClient(first.port())) {
            stream.post(CALL).readUntil("first!");
            var load = CompletableFuture.supplyAsync(this::load, Thread::startVirtualThread);
            try (Proxy second = Proxy.start(config, seenBySecond::add)) {
                assertThat(second.port()).isEqualTo(first.port());
                await().until(this::succeeded);
                var closing = CompletableFuture.runAsync(first::close, Thread::startVirtualThread);
                await().until(() -> seenBySecond.size() > 50);
                assertThat(closing).as("the first waits for its stream").isNotDone();
                go.countDown();
                assertThat(stream.readUntil("last")).isEqualTo("last");
                closing.get(20, TimeUnit.SECONDS);
                int served = seenBySecond.size();
                await().until(() -> seenBySecond.size() > served + 50);
                stop.set(true);
                assertThat(load.get(20, TimeUnit.SECONDS)).isEmpty();
            }
        }
        assertThat(seenByFirst).isNotEmpty();
    }

    @Test
    void goesOnServingWhenItsSuccessorDiesBeforeItIsReady() throws Exception {
        // It has no endpoint that would make it ready.
        origin.close();
        try (Proxy second = Proxy.start(config, seenBySecond::add)) {
            assertThat(second.port()).isEqualTo(first.port());
        }
        assertThat(succeeded()).isFalse();
        // 502 or 503: served all the same, by the one that is left.
        int before = seenByFirst.size();
        assertThat(call()).isBetween(502, 503);
        await().until(() -> seenByFirst.size() == before + 1);
    }

    /// One connection for each call: what went wrong.
    private List<String> load() {
        var problems = new ArrayList<String>();
        while (!stop.get()) {
            try {
                int status = call();
                if (status != 200) {
                    problems.add("status " + status);
                }
            } catch (IOException e) {
                problems.add(e.toString());
            }
        }
        return problems;
    }

    private int call() throws IOException {
        try (var client = new RawClient(first.port())) {
            return client.post(CALL).read().status();
        }
    }

    private boolean succeeded() throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            String body =
                    http.send(
                                    HttpRequest.newBuilder(
                                                    URI.create(
                                                            first.adminUrl() + "/admin/v1/status"))
                                            .build(),
                                    HttpResponse.BodyHandlers.ofString())
                            .body();
            return new ObjectMapper().readTree(body).at("/succeeded").asBoolean();
        }
    }

    private void awaitGo() throws IOException {
        try {
            go.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
