package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.autoscaler.Autoscaler;
import dev.sluice.autoscaler.AutoscalerConfig;
import dev.sluice.proxy.Proxy;
import dev.sluice.proxy.ProxyConfig;
import dev.sluice.shared.ConfigSource;

import org.awaitility.Awaitility;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/// What `/metrics` of a proxy and of an autoscaler say after both have worked: a replica was
/// started, a stream served over TLS, a call refused.
///
/// @param text both scrapes, one after the other
/// @param labels the names of labels by the name of the series, `_bucket` and the like included
record LiveScrape(String text, Map<String, Set<String>> labels) {
    private static final Pattern SERIES = Pattern.compile("(?m)^(\\w+)(?:\\{(.*)\\})? \\S+$");
    private static final Pattern LABEL = Pattern.compile("(\\w+)=\"(?:[^\"\\\\]|\\\\.)*\"");
    private static final String PASSWORD = "changeit";

    static LiveScrape take(Path folder) throws Exception {
        SSLContext trust = certificate(folder);
        try (Proxy proxy = Proxy.start(proxy(folder), _ -> {});
                Autoscaler autoscaler =
                        Autoscaler.start(autoscaler(folder, proxy.adminUrl()), false);
                HttpClient http = HttpClient.newBuilder().sslContext(trust).build()) {
            String chat = "https://localhost:" + proxy.port() + "/v1/chat/completions";
            URI scaler = autoscaler.adminUrl();
            assertThat(scaler).isNotNull();
            // Held until the first replica is ready.
            assertThat(post(http, chat, "sim")).isEqualTo(200);
            assertThat(post(http, chat, "no-such-model")).isEqualTo(404);
            // Pauses are published from the first one on.
            System.gc();
            var both = new String[1];
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(
                            () -> {
                                both[0] =
                                        get(http, proxy.adminUrl() + "/metrics")
                                                + get(http, scaler + "/metrics");
                                return both[0].contains("jvm_gc_pause_seconds_count")
                                        && both[0].contains("sluice_endpoint_kv_usage_ratio{")
                                        && both[0].contains("sluice_cold_start_seconds{");
                            });
            return new LiveScrape(both[0], labels(both[0]));
        }
    }

    /// The families that begin with one of Sluice's prefixes.
    Set<String> families() {
        var out = new HashSet<String>();
        Pattern.compile("(?m)^# TYPE ((?:sluice|gen_ai)_\\w+)")
                .matcher(text)
                .results()
                .forEach(found -> out.add(found.group(1)));
        return out;
    }

    private static Map<String, Set<String>> labels(String text) {
        var out = new HashMap<String, Set<String>>();
        SERIES.matcher(text)
                .results()
                .forEach(
                        series -> {
                            Set<String> names =
                                    out.computeIfAbsent(series.group(1), _ -> new HashSet<>());
                            if (series.group(2) != null) {
                                LABEL.matcher(series.group(2))
                                        .results()
                                        .map((MatchResult label) -> label.group(1))
                                        .forEach(names::add);
                            }
                        });
        return out;
    }

    private static ProxyConfig proxy(Path folder) {
        String yaml =
                """
                listen: 127.0.0.1:0
                admin: 127.0.0.1:0
                tls: {certificate: '%1$s/cert.pem', key: '%1$s/key.pem'}
                pools:
                  - {name: live, models: [sim], cap: 4, queue: {hold: true}}
                  - {name: found, models: [other], dns: {name: localhost, port: 9}}
                server: {stop_after: 0s}
                drain_timeout: 1s
                """
                        .formatted(folder);
        return ConfigSource.parse("test", yaml, _ -> null, ProxyConfig::from);
    }

    private static AutoscalerConfig autoscaler(Path folder, URI proxy) {
        List<String> words = SluiceCommand.words("simulate", "--child", "--port", "{port}");
        String yaml =
                """
                admin: 127.0.0.1:0
                interval: 200ms
                state: '%s'
                scalers:
                  - pool: live
                    min: 1
                    max: 2
                    target: {process: {command: [%s], ports: 19470-19479, grace: 3s}}
                    proxies: {urls: ['%s']}
                    scaleDown: {drain: 1s}
                """
                        .formatted(
                                folder,
                                String.join(", ", words.stream().map(w -> "'" + w + "'").toList()),
                                proxy);
        return ConfigSource.parse("test", yaml, _ -> null, AutoscalerConfig::from);
    }

    private static int post(HttpClient http, String url, String model) throws Exception {
        String body =
                """
                {"model": "%s", "stream": true, "max_tokens": 5,
                 "messages": [{"role": "user", "content": "Say something."}]}
                """
                        .formatted(model);
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(url))
                        .timeout(Duration.ofSeconds(60))
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build();
        return http.send(request, BodyHandlers.ofString()).statusCode();
    }

    private static String get(HttpClient http, String url)
            throws IOException, InterruptedException {
        return http.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString())
                .body();
    }

    /// Writes a certificate for localhost and its key as PEM; trusts it.
    private static SSLContext certificate(Path folder) throws Exception {
        Path store = folder.resolve("store.p12");
        Process keytool =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "keytool")
                                        .toString(),
                                "-genkeypair",
                                "-keystore",
                                store.toString(),
                                "-storepass",
                                PASSWORD,
                                "-alias",
                                "a",
                                "-keyalg",
                                "EC",
                                "-groupname",
                                "secp256r1",
                                "-dname",
                                "CN=localhost",
                                "-ext",
                                "san=dns:localhost")
                        .redirectErrorStream(true)
                        .start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(keytool.waitFor()).as(said).isZero();
        KeyStore made = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            made.load(in, PASSWORD.toCharArray());
        }
        Certificate certificate = made.getCertificate("a");
        Files.writeString(folder.resolve("cert.pem"), pem("CERTIFICATE", certificate.getEncoded()));
        Files.writeString(
                folder.resolve("key.pem"),
                pem("PRIVATE KEY", made.getKey("a", PASSWORD.toCharArray()).getEncoded()));
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        trusted.setCertificateEntry("a", certificate);
        var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }

    private static String pem(String what, byte[] bytes) {
        return "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n"
                .formatted(
                        what, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes));
    }
}
