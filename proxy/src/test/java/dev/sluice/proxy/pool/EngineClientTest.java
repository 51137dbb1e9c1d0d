package dev.sluice.proxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.flow.Pems;
import dev.sluice.proxy.pool.EngineClient.Answer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;

/// What probes say of an endpoint that cannot be trusted.
class EngineClientTest {
    @TempDir Path folder;

    @Test
    void namesTheVerificationThatFailed() throws Exception {
        Path store = folder.resolve("engine.p12");
        Pems.make(store, "CN=engine");
        try (ServerSocket server =
                        Pems.sockets(store)
                                .createServerSocket(0, 10, InetAddress.ofLiteral("127.0.0.1"));
                var client = new EngineClient(null)) {
            Thread.ofVirtual().start(() -> accept(server));
            EndpointUrl url = EndpointUrl.parse("https://127.0.0.1:" + server.getLocalPort());
            assertThat(client.get(url, "/health", Duration.ofSeconds(10)))
                    .isInstanceOfSatisfying(
                            Answer.Broken.class,
                            broken -> assertThat(broken.why()).contains("certification path"));
        }
    }

    private static void accept(ServerSocket server) {
        try (var socket = server.accept()) {
            socket.getInputStream().readAllBytes();
        } catch (IOException e) {
            // the client left
        }
    }
}
