package dev.sluice.proxy.pool;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.security.GeneralSecurityException;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;

/// Asks an engine a question outside any call: one GET, bounded in time and size, redirects never
/// followed. Blocking: virtual threads only.
final class EngineClient implements AutoCloseable {
    private static final long MAX_BODY = 4L << 20;

    private final @Nullable SSLContext tls;
    private final HttpClient plain = client(trustsNobody());
    private @Nullable HttpClient secure;

    /// @param tls for https endpoints; null: the JDK's own trust
    EngineClient(@Nullable SSLContext tls) {
        this.tls = tls;
    }

    private static HttpClient client(SSLContext tls) {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .sslContext(tls)
                .build();
    }

    /// Every HttpClient has a context, and the JDK's own reads all its authorities: a tenth of a
    /// second of each start, for https endpoints that most have not.
    private static SSLContext trustsNobody() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[0], null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has TLS", e);
        }
    }

    private synchronized HttpClient secure() {
        if (secure == null) {
            try {
                secure = client(tls == null ? SSLContext.getDefault() : tls);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every JDK has TLS", e);
            }
        }
        return secure;
    }

    /// @param timeout for all of it, the body too
    Answer get(EndpointUrl url, String path, Duration timeout) throws InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(url + path))
                        .timeout(timeout)
                        .header("user-agent", "sluice")
                        .build();
        CompletableFuture<HttpResponse<String>> asked =
                (url.tls() ? secure() : plain)
                        .sendAsync(
                                request, BodyHandlers.limiting(BodyHandlers.ofString(), MAX_BODY));
        try {
            HttpResponse<String> response =
                    asked.get(timeout.toNanos() + timeout.toNanos() / 2, TimeUnit.NANOSECONDS);
            return new Answer.Got(response.statusCode(), response.body());
        } catch (TimeoutException e) {
            asked.cancel(true);
            return new Answer.Silent(
                    "no whole answer on " + path + " in " + timeout.toMillis() + "ms");
        } catch (ExecutionException e) {
            return failure(path, timeout, e.getCause());
        }
    }

    @Override
    public synchronized void close() {
        plain.shutdownNow();
        if (secure != null) {
            secure.shutdownNow();
        }
    }

    private static Answer failure(String path, Duration timeout, @Nullable Throwable cause) {
        return switch (cause) {
            case HttpConnectTimeoutException e -> new Answer.Unreachable("connect timed out");
            case ConnectException e -> new Answer.Unreachable("connection refused");
            case HttpTimeoutException e ->
                    new Answer.Silent("no answer on " + path + " in " + timeout.toMillis() + "ms");
            case IOException e -> new Answer.Broken(path + ": " + e.getMessage());
            case null, default -> new Answer.Broken(path + ": " + cause);
        };
    }

    sealed interface Answer {
        record Got(int status, String body) implements Answer {
            boolean ok() {
                return status / 100 == 2;
            }
        }

        /// No connection.
        record Unreachable(String why) implements Answer {}

        /// A connection, but no answer in time.
        record Silent(String why) implements Answer {}

        /// Closed, reset, or not HTTP.
        record Broken(String why) implements Answer {}
    }
}
