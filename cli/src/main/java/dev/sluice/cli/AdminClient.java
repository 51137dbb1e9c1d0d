package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;

import dev.sluice.shared.AdminJson;
import dev.sluice.shared.LoadReport;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/// Asks the admin port of a running proxy. Blocking; every failure is a {@link CommandFailed} that
/// names the address and what to do.
final class AdminClient implements AutoCloseable {
    private static final JsonMapper JSON = new JsonMapper();

    private final URI base;
    private final @Nullable String token;
    private final HttpClient http =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(Duration.ofSeconds(3))
                    .build();

    /// @param base as `http://127.0.0.1:9901`
    AdminClient(URI base, @Nullable String token) {
        this.base = base;
        this.token = token;
    }

    LoadReport load() {
        byte[] answer = get("/admin/v1/load");
        try {
            return AdminJson.answer(answer, LoadReport.class);
        } catch (IOException e) {
            throw CommandFailed.failed(
                    base + " answered something that is not a load report; is it a Sluice proxy?");
        }
    }

    byte[] get(String path) {
        return send("GET", path, BodyPublishers.noBody());
    }

    byte[] post(String path) {
        return post(path, "");
    }

    byte[] post(String path, String body) {
        return send("POST", path, BodyPublishers.ofString(body));
    }

    @Override
    public void close() {
        http.close();
    }

    private byte[] send(String method, String path, BodyPublisher body) {
        var request =
                HttpRequest.newBuilder(base.resolve(path))
                        .timeout(Duration.ofSeconds(10))
                        .method(method, body);
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        HttpResponse<byte[]> response;
        try {
            response = http.send(request.build(), BodyHandlers.ofByteArray());
        } catch (ConnectException e) {
            throw CommandFailed.failed(
                    "nothing answers at "
                            + base
                            + "; start a proxy with ./sluice proxy, or name its admin port with"
                            + " --admin HOST:PORT");
        } catch (IOException e) {
            throw CommandFailed.failed(base + " did not answer: " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw CommandFailed.failed("interrupted");
        }
        if (response.statusCode() / 100 == 2) {
            return response.body();
        }
        throw CommandFailed.failed(refusal(response));
    }

    /// The problem as the admin port words it: message, field, fix.
    private String refusal(HttpResponse<byte[]> response) {
        try {
            JsonNode error = JSON.readTree(response.body()).path("error");
            if (error.has("message")) {
                String fix = error.path("fix").asText("");
                return error.get("message").asText() + (fix.isEmpty() ? "" : " (" + fix + ")");
            }
        } catch (IOException e) {
            // not JSON: told by its status below
        }
        return base + " answered " + response.statusCode();
    }
}
