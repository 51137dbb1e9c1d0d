package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.proxy.ProxyConfig;
import dev.sluice.shared.ConfigException;
import dev.sluice.shared.ConfigSource;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;

/// Engines that speak TLS: probes and calls trust the same.
class UpstreamTlsFlowTest {
    @TempDir Path folder;
    private Origin origin;
    private Rig rig;

    @BeforeEach
    void engine() throws Exception {
        Path store = folder.resolve("engine.p12");
        Pems.make(store, "CN=engine");
        Pems.write(store, folder.resolve("engine.crt"), folder.resolve("engine.key"));
        origin = new Origin("https", Pems.sockets(store));
    }

    @AfterEach
    void close() throws Exception {
        if (rig != null) {
            rig.close();
        }
        origin.close();
    }

    @Test
    void trustsACertificateOfTheGivenAuthority() throws Exception {
        rig = Rig.of("upstream: {tls: {ca: " + folder.resolve("engine.crt") + "}}", origin);
        assertThat(rig.client().post("{\"model\":\"m\"}").read().status()).isEqualTo(200);
        rig.settled(1);
    }

    @Test
    void asksNothingWithoutVerification() throws Exception {
        rig = Rig.of("upstream: {tls: {verify: false}}", origin);
        assertThat(rig.client().post("{\"model\":\"m\"}").read().status()).isEqualTo(200);
        rig.settled(1);
    }

    @Test
    void namesTheFieldThatIsWrong() throws Exception {
        Path empty = Files.writeString(folder.resolve("empty.crt"), "nothing");
        assertProblem("ca: " + empty, "upstream.tls.ca: holds no certificate");
        assertProblem("ca: /nowhere.crt", "upstream.tls.ca: /nowhere.crt cannot be read");
        assertProblem("key: " + folder.resolve("engine.key"), "upstream.tls.certificate");
    }

    private static void assertProblem(String tls, String expected) {
        assertThatThrownBy(
                        () ->
                                ConfigSource.parse(
                                        "test",
                                        "upstream: {tls: {" + tls + "}}",
                                        name -> null,
                                        ProxyConfig::from))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(expected);
    }
}
