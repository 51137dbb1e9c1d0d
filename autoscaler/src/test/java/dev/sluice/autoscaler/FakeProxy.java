package dev.sluice.autoscaler;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import dev.sluice.shared.AdminJson;
import dev.sluice.shared.LoadReport;
import dev.sluice.shared.LoadReport.EndpointLoad;
import dev.sluice.shared.LoadReport.PoolLoad;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A proxy's admin port with the load that a test gives it.
public final class FakeProxy implements AutoCloseable {
    private static final Pattern URL = Pattern.compile("\"url\":\"http://([^\"]+)\"");

    private static final Pattern WAIT = Pattern.compile("wait_ms=(\\d+)");

    /// Endpoint to state.
    public final Map<String, String> endpoints = new ConcurrentSkipListMap<>();

    public final Map<String, Integer> inFlight = new ConcurrentHashMap<>();

    /// Everything that changed something, as `POST /admin/v1/endpoints`.
    public final ConcurrentLinkedQueue<String> changes = new ConcurrentLinkedQueue<>();

    public final ConcurrentLinkedQueue<String> statuses = new ConcurrentLinkedQueue<>();
    public volatile int held;
    public volatile boolean broken;

    /// How often its load was asked for.
    public final AtomicLong asked = new AtomicLong();

    public final AtomicLong startedMs = new AtomicLong(1);
    public final AtomicLong completed = new AtomicLong(100);
    public final AtomicLong failed = new AtomicLong();
    private final AtomicLong reports = new AtomicLong();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final HttpServer server;
    private final String host;
    private int queued;
    private boolean hangs;

    public FakeProxy() throws IOException {
        this(InetAddress.getLoopbackAddress());
    }

    public FakeProxy(InetAddress address) throws IOException {
        this(address, 0);
    }

    public FakeProxy(InetAddress address, int port) throws IOException {
        host = address.getHostAddress();
        server = HttpServer.create(new InetSocketAddress(address, port), 16);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::handle);
        server.start();
    }

    public URI url() {
        return URI.create("http://" + host + ":" + server.getAddress().getPort());
    }

    /// So many calls wait; who sleeps until one does wakes up.
    public void queue(int calls) {
        set(() -> queued = calls);
    }

    /// Takes requests and answers none.
    public void hang() {
        set(() -> hangs = true);
    }

    /// Answers again, also what came meanwhile.
    public void goOn() {
        set(() -> hangs = false);
    }

    /// All totals and endpoints are forgotten, as in a new process.
    public void restart() {
        startedMs.incrementAndGet();
        endpoints.clear();
        completed.set(0);
        failed.set(0);
    }

    @Override
    public void close() {
        goOn();
        server.stop(0);
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String method = exchange.getRequestMethod();
            String path =
                    URLDecoder.decode(
                            exchange.getRequestURI().getRawPath(), StandardCharsets.UTF_8);
            String body =
                    new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            awaitGoOn();
            if (broken) {
                exchange.sendResponseHeaders(500, -1);
                return;
            }
            if (path.equals("/admin/v1/load")) {
                asked.incrementAndGet();
                awaitQueued(exchange.getRequestURI().getQuery());
                byte[] report = AdminJson.bytes(report());
                exchange.sendResponseHeaders(200, report.length);
                exchange.getResponseBody().write(report);
                return;
            }
            exchange.sendResponseHeaders(change(method, path, body), -1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void set(Runnable change) {
        lock.lock();
        try {
            change.run();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void awaitGoOn() throws InterruptedException {
        lock.lock();
        try {
            while (hangs) {
                changed.await();
            }
        } finally {
            lock.unlock();
        }
    }

    /// As a proxy does for `wait_ms`.
    private void awaitQueued(String query) throws InterruptedException {
        Matcher wait = WAIT.matcher(String.valueOf(query));
        long left = wait.find() ? TimeUnit.MILLISECONDS.toNanos(Long.parseLong(wait.group(1))) : 0;
        lock.lock();
        try {
            while (queued == 0 && left > 0) {
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    private int queued() {
        lock.lock();
        try {
            return queued;
        } finally {
            lock.unlock();
        }
    }

    private int change(String method, String path, String body) {
        if (path.equals("/admin/v1/scaling")) {
            statuses.add(body);
            return 204;
        }
        changes.add(method + " " + path);
        if (path.equals("/admin/v1/endpoints")) {
            Matcher url = URL.matcher(body);
            if (!url.find()) {
                return 400;
            }
            endpoints.putIfAbsent(url.group(1), "healthy");
            return 201;
        }
        String id = path.substring("/admin/v1/endpoints/".length()).replaceAll(":(un)?drain$", "");
        if (!endpoints.containsKey(id)) {
            return 404;
        }
        if (method.equals("DELETE")) {
            endpoints.remove(id);
        } else {
            endpoints.put(id, path.endsWith(":drain") ? "draining" : "healthy");
        }
        return 200;
    }

    private LoadReport report() {
        List<EndpointLoad> list = new ArrayList<>();
        endpoints.forEach(
                (id, state) ->
                        list.add(
                                new EndpointLoad(
                                        id,
                                        "http://" + id,
                                        state,
                                        "test",
                                        0,
                                        inFlight.getOrDefault(id, 0),
                                        null,
                                        null,
                                        null,
                                        null,
                                        null,
                                        0,
                                        0,
                                        null)));
        int running = inFlight.values().stream().mapToInt(Integer::intValue).sum();
        var pool =
                new PoolLoad(
                        "llama",
                        List.of("llama"),
                        running,
                        queued(),
                        held,
                        0,
                        null,
                        null,
                        completed.get(),
                        completed.get(),
                        failed.get(),
                        0,
                        0,
                        0,
                        0,
                        null,
                        list);
        return new LoadReport(
                "fake", reports.incrementAndGet(), startedMs.get(), true, List.of(pool));
    }
}
