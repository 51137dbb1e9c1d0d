package dev.sluice.autoscaler.signal;

import dev.sluice.shared.AdminJson;
import dev.sluice.shared.LoadReport;
import dev.sluice.shared.LoadReport.PoolLoad;
import dev.sluice.shared.ScalingStatus;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// The admin ports of all proxies: asks them for load, tells them of endpoints and of decisions.
/// All are asked at once, each on its own virtual thread with one second for the whole answer, so a
/// proxy that hangs costs a second and not the loop.
public final class Proxies implements AutoCloseable {
    private static final Duration TIME_OUT = Duration.ofSeconds(1);

    /// A proxy's wait ends so much before ours, so that its answer comes and the connection is
    /// kept.
    private static final Duration ANSWERING = Duration.ofMillis(100);

    /// A report of 1,000 endpoints is about half of this.
    private static final long MAX_BODY = 1 << 20;

    private static final BodyHandler<byte[]> BODY =
            BodyHandlers.limiting(BodyHandlers.ofByteArray(), MAX_BODY);

    private final ProxyAddresses addresses;
    private final @Nullable String token;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpClient client =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(TIME_OUT)
                    .executor(threads)
                    .build();

    public Proxies(ProxySource source) {
        this(source, source.token());
    }

    /// @param token the proxies' admin_token; null when they have none
    public Proxies(ProxyAddresses addresses, @Nullable String token) {
        this.addresses = addresses;
        this.token = token;
    }

    /// One report for each proxy, also for those that did not answer.
    public List<ProxyReport> poll() throws InterruptedException {
        List<URI> proxies;
        try {
            proxies = addresses.now();
        } catch (IOException e) {
            String why = addresses + ": " + e.getMessage();
            return List.of(new ProxyReport(URI.create("http://unknown"), null, why));
        }
        var asked = new ArrayList<Future<ProxyReport>>();
        for (URI proxy : proxies) {
            asked.add(threads.submit(() -> load(proxy)));
        }
        var reports = new ArrayList<ProxyReport>();
        for (Future<ProxyReport> each : asked) {
            try {
                reports.add(each.get());
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause());
            }
        }
        return List.copyOf(reports);
    }

    /// Sleeps for so long, or until a call waits in this pool's queue at one of the proxies. A
    /// proxy that does not answer, or that cannot wait, wakes nobody and shortens nothing.
    public void awaitQueued(String pool, List<URI> proxies, Duration most)
            throws InterruptedException {
        long end = System.nanoTime() + most.toNanos();
        String path =
                "/admin/v1/load?wait_ms="
                        + Math.max(1, most.minus(ANSWERING).toMillis())
                        + "&pool="
                        + URLEncoder.encode(pool, StandardCharsets.UTF_8);
        var woken = new CountDownLatch(1);
        var asked = new ArrayList<CompletableFuture<?>>();
        for (URI proxy : proxies) {
            var answer = client.sendAsync(request(proxy, path, "GET", new byte[0]), BODY);
            asked.add(answer);
            answer.thenAccept(
                    a -> {
                        PoolLoad load = report(proxy, a).pool(pool);
                        if (load != null && load.queued() > 0) {
                            woken.countDown();
                        }
                    });
        }
        try {
            woken.await(end - System.nanoTime(), TimeUnit.NANOSECONDS);
        } finally {
            asked.forEach(a -> a.cancel(true));
        }
    }

    /// Makes the endpoint known to this proxy; again does no harm. False when it did not agree.
    public boolean register(URI proxy, String pool, String url) throws InterruptedException {
        byte[] body = AdminJson.bytes(Map.of("pool", pool, "url", url, "weight", 1));
        return agrees(request(proxy, "/admin/v1/endpoints", "POST", body), false);
    }

    /// No new calls to this endpoint; those that run finish. True also when it is not known there.
    public boolean drain(URI proxy, String id) throws InterruptedException {
        return agrees(request(proxy, endpoint(id) + ":drain", "POST", new byte[0]), true);
    }

    /// Takes calls again.
    public boolean undrain(URI proxy, String id) throws InterruptedException {
        return agrees(request(proxy, endpoint(id) + ":undrain", "POST", new byte[0]), false);
    }

    /// Forgets the endpoint. True also when it is not known there.
    public boolean remove(URI proxy, String id) throws InterruptedException {
        return agrees(request(proxy, endpoint(id), "DELETE", new byte[0]), true);
    }

    /// Shows the status on the proxy's page.
    public boolean push(URI proxy, ScalingStatus status) throws InterruptedException {
        return agrees(request(proxy, "/admin/v1/scaling", "POST", AdminJson.bytes(status)), false);
    }

    @Override
    public void close() {
        client.shutdownNow();
        threads.shutdownNow();
    }

    private ProxyReport load(URI proxy) throws InterruptedException {
        try {
            return report(proxy, send(request(proxy, "/admin/v1/load", "GET", new byte[0])));
        } catch (IOException e) {
            return new ProxyReport(proxy, null, proxy + ": " + why(e));
        }
    }

    /// The client says nothing of why it could not connect.
    private static String why(IOException e) {
        if (e instanceof ConnectException) {
            return "no connection";
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    private static ProxyReport report(URI proxy, HttpResponse<byte[]> answer) {
        try {
            if (answer.statusCode() != 200) {
                return new ProxyReport(proxy, null, proxy + " answered " + answer.statusCode());
            }
            LoadReport report = AdminJson.answer(answer.body(), LoadReport.class);
            String missing = missing(report);
            return missing == null
                    ? new ProxyReport(proxy, report, "")
                    : new ProxyReport(proxy, null, proxy + ": its report has no " + missing);
        } catch (IOException e) {
            return new ProxyReport(proxy, null, proxy + ": " + e.getMessage());
        }
    }

    /// The list that another program left out; the type cannot say that JSON always has it.
    @SuppressWarnings("NullAway")
    private static @Nullable String missing(LoadReport report) {
        if (report.pools() == null) {
            return "pools";
        }
        return report.pools().stream().anyMatch(p -> p.endpoints() == null) ? "endpoints" : null;
    }

    private boolean agrees(HttpRequest request, boolean absentIsFine) throws InterruptedException {
        try {
            int status = send(request).statusCode();
            return status / 100 == 2 || (absentIsFine && status == 404);
        } catch (IOException e) {
            return false;
        }
    }

    private HttpResponse<byte[]> send(HttpRequest request)
            throws IOException, InterruptedException {
        CompletableFuture<HttpResponse<byte[]>> answer = client.sendAsync(request, BODY);
        try {
            return answer.get(TIME_OUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new IOException("no answer within " + TIME_OUT.toSeconds() + " s", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
        } finally {
            answer.cancel(true);
        }
    }

    private HttpRequest request(URI proxy, String path, String method, byte[] body) {
        var request =
                HttpRequest.newBuilder(URI.create(proxy + path))
                        .method(method, HttpRequest.BodyPublishers.ofByteArray(body));
        if (body.length > 0) {
            request.header("content-type", "application/json");
        }
        if (token != null) {
            request.header("authorization", "Bearer " + token);
        }
        return request.build();
    }

    private static String endpoint(String id) {
        return "/admin/v1/endpoints/" + URLEncoder.encode(id, StandardCharsets.UTF_8);
    }
}
