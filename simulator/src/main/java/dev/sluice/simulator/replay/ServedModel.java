package dev.sluice.simulator.replay;

import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/// Asks a server which model it serves. Blocking.
final class ServedModel {
    private ServedModel() {}

    /// @throws IOException when it does not tell, with what to do
    static String of(ReplayConfig config) throws IOException {
        String base = config.target().toString().replaceAll("/+$", "").replaceAll("/v1$", "");
        URI uri = URI.create(base + "/v1/models");
        var request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10));
        if (config.apiKey() != null) {
            request.header("authorization", "Bearer " + config.apiKey());
        }
        // Not the default, which asks to upgrade to h2c, and proxies rightly refuse that.
        try (HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            var response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            String id = new ObjectMapper().readTree(response.body()).at("/data/0/id").asText("");
            if (response.statusCode() == 200 && !id.isEmpty()) {
                return id;
            }
            throw new IOException(
                    uri
                            + " names no model (status "
                            + response.statusCode()
                            + "); name one: --model");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while asking " + uri, e);
        } catch (ConnectException e) {
            throw new IOException(
                    "nothing answers at " + uri + "; start the server or correct --target", e);
        }
    }
}
