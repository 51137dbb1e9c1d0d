package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.proxy.ProxyConfig;
import dev.sluice.shared.ConfigException;
import dev.sluice.shared.ConfigSource;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;

import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;

/// TLS on the data port.
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class TlsFlowTest {
    private final Origin origin = new Origin();
    @TempDir Path folder;
    private Rig rig;

    TlsFlowTest() throws IOException {}

    private void start(String more) throws Exception {
        rig = Rig.of(yaml(more), origin);
    }

    private String yaml(String more) {
        return "tls: {certificate: "
                + folder.resolve("tls.crt")
                + ", key: "
                + folder.resolve("tls.key")
                + more
                + "}";
    }

    /// A pair for `localhost` that signs itself.
    private void pair(String name, String subject) throws Exception {
        Path store = folder.resolve(name + ".p12");
        Files.deleteIfExists(store);
        Pems.make(store, subject);
        Pems.write(store, folder.resolve(name + ".crt"), folder.resolve(name + ".key"));
    }

    @AfterEach
    void close() throws Exception {
        if (rig != null) {
            rig.close();
        }
        origin.close();
    }

    private static SslContextBuilder trusting() {
        return SslContextBuilder.forClient().trustManager(InsecureTrustManagerFactory.INSTANCE);
    }

    private static SslContext http2() throws SSLException {
        return trusting()
                .applicationProtocolConfig(
                        new ApplicationProtocolConfig(
                                ApplicationProtocolConfig.Protocol.ALPN,
                                ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                                ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                                ApplicationProtocolNames.HTTP_2))
                .build();
    }

    private SSLSocket connect(SslContextBuilder how) throws Exception {
        var context = (JdkSslContext) how.build();
        var socket =
                (SSLSocket)
                        context.context()
                                .getSocketFactory()
                                .createSocket(InetAddress.ofLiteral("127.0.0.1"), rig.port());
        socket.setSoTimeout(10_000);
        return socket;
    }

    private static String ask(SSLSocket socket) throws IOException {
        String request =
                RawClient.request("{\"model\":\"m\"}")
                        .replace("Host: a", "Host: a\r\nConnection: close");
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void speaksHttp1WithoutAlpn() throws Exception {
        pair("tls", "CN=one");
        start("");
        try (SSLSocket socket = connect(trusting())) {
            assertThat(ask(socket)).startsWith("HTTP/1.1 200 OK");
            assertThat(socket.getSession().getProtocol()).isEqualTo("TLSv1.3");
        }
        rig.settled(1);
    }

    @Test
    void speaksHttp2ByAlpn() throws Exception {
        pair("tls", "CN=one");
        start("");
        try (var client = new Http2Client(rig.port(), true, http2())) {
            client.post("{\"model\":\"m\"}");
            assertThat(client.hear("HEADERS").text()).isEqualTo("200");
        }
        rig.settled(1);
    }

    @Test
    void closesOnPlainBytes() throws Exception {
        pair("tls", "CN=one");
        start("");
        RawClient plain = rig.client().post("{\"model\":\"m\"}");
        String alert = plain.readAll();
        assertThat(alert).doesNotContain("HTTP");
        assertThat(origin.calls()).isEmpty();
    }

    @Test
    void asksForClientCertificates() throws Exception {
        pair("tls", "CN=one");
        pair("client", "CN=client");
        start(", client_ca: " + folder.resolve("client.crt"));
        assertThatThrownBy(
                        () -> {
                            try (SSLSocket socket = connect(trusting())) {
                                ask(socket);
                            }
                        })
                .isInstanceOf(IOException.class);
        var known =
                trusting()
                        .keyManager(
                                folder.resolve("client.crt").toFile(),
                                folder.resolve("client.key").toFile());
        try (SSLSocket socket = connect(known)) {
            assertThat(ask(socket)).startsWith("HTTP/1.1 200 OK");
        }
    }

    @Test
    void servesANewCertificateAndKeepsTheOldOneForABadPair() throws Exception {
        pair("tls", "CN=one");
        start("");
        assertThat(subject()).isEqualTo("CN=one");
        pair("tls", "CN=two");
        await().atMost(Duration.ofSeconds(15)).until(() -> subject().equals("CN=two"));
        Files.writeString(folder.resolve("tls.key"), "no key");
        await().during(Duration.ofSeconds(5))
                .atMost(Duration.ofSeconds(15))
                .until(() -> subject().equals("CN=two"));
    }

    private String subject() throws Exception {
        try (SSLSocket socket = connect(trusting())) {
            socket.startHandshake();
            var certificate = (X509Certificate) socket.getSession().getPeerCertificates()[0];
            return certificate.getSubjectX500Principal().getName();
        }
    }

    @Test
    void namesTheFieldThatIsWrong() throws Exception {
        assertProblem("tls.certificate: " + folder.resolve("tls.crt") + " cannot be read");
        pair("tls", "CN=one");
        pair("other", "CN=other");
        Files.copy(
                folder.resolve("other.key"),
                folder.resolve("tls.key"),
                StandardCopyOption.REPLACE_EXISTING);
        assertProblem("is not the key of");
        Files.writeString(folder.resolve("tls.key"), "no key");
        assertProblem("holds no usable private key");
    }

    private void assertProblem(String expected) {
        assertThatThrownBy(
                        () ->
                                ConfigSource.parse(
                                        "test",
                                        yaml("") + "\npools: [{name: p, endpoints: []}]",
                                        name -> null,
                                        ProxyConfig::from))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(expected);
    }
}
