package dev.sluice.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.sluice.simulator.replica.ReplicaModel;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

class SimulatorTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String HELLO =
            "\"messages\":[{\"role\":\"user\",\"content\":\"Say hello.\"}]";

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private Simulator simulator;

    @AfterEach
    void close() {
        simulator.close();
        client.shutdownNow();
    }

    @Test
    void answersAChatCompletionWithExactUsage() throws Exception {
        start(fast());
        JsonNode answer = json(post("/v1/chat/completions", "{" + HELLO + ",\"max_tokens\":5}"));
        assertThat(answer.at("/object").asText()).isEqualTo("chat.completion");
        assertThat(answer.at("/choices/0/message/content").asText().split(" ")).hasSize(5);
        assertThat(answer.at("/choices/0/finish_reason").asText()).isEqualTo("length");
        assertThat(answer.at("/usage/completion_tokens").asInt()).isEqualTo(5);
        assertThat(answer.at("/usage/prompt_tokens").asInt())
                .isEqualTo(json(post("/tokenize", "{" + HELLO + "}")).at("/count").asInt());
    }

    @Test
    void streamsOneChunkForEachTokenThenUsageThenDone() throws Exception {
        start(fast());
        List<String> events =
                events(
                        "{"
                                + HELLO
                                + ",\"stream\":true,\"max_tokens\":4,"
                                + "\"stream_options\":{\"include_usage\":true}}");
        assertThat(events).hasSize(1 + 4 + 2);
        assertThat(JSON.readTree(events.get(0)).at("/choices/0/delta/role").asText())
                .isEqualTo("assistant");
        assertThat(JSON.readTree(events.get(1)).at("/choices/0/delta/content").asText())
                .isNotEmpty();
        assertThat(JSON.readTree(events.get(4)).at("/choices/0/finish_reason").asText())
                .isEqualTo("length");
        assertThat(JSON.readTree(events.get(5)).at("/usage/completion_tokens").asInt())
                .isEqualTo(4);
        assertThat(events.get(6)).isEqualTo("[DONE]");
    }

    @Test
    void sayAsMuchInAStreamAsInOnePiece() throws Exception {
        start(fast().withSeed(7));
        String whole =
                json(post("/v1/chat/completions", "{" + HELLO + "}"))
                        .at("/choices/0/message/content")
                        .asText();
        simulator.close();
        start(fast().withSeed(7));
        var streamed = new StringBuilder();
        for (String event : events("{" + HELLO + ",\"stream\":true}")) {
            if (!event.equals("[DONE]")) {
                streamed.append(JSON.readTree(event).at("/choices/0/delta/content").asText(""));
            }
        }
        assertThat(streamed.toString()).isEqualTo(whole).isNotEmpty();
    }

    @Test
    void callsTheToolThatIsForced() throws Exception {
        start(fast());
        String tools =
                ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"parameters\":"
                    + "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"},\"days\":"
                    + "{\"type\":\"integer\"}},\"required\":[\"city\",\"days\"]}}}],"
                    + "\"tool_choice\":\"required\"";
        JsonNode call =
                json(post("/v1/chat/completions", "{" + HELLO + tools + "}"))
                        .at("/choices/0/message/tool_calls/0/function");
        assertThat(call.at("/name").asText()).isEqualTo("weather");
        JsonNode arguments = JSON.readTree(call.at("/arguments").asText());
        assertThat(arguments.at("/city").isTextual()).isTrue();
        assertThat(arguments.at("/days").isInt()).isTrue();

        var streamed = new StringBuilder();
        for (String event : events("{" + HELLO + tools + ",\"stream\":true}")) {
            if (!event.equals("[DONE]")) {
                streamed.append(
                        JSON.readTree(event)
                                .at("/choices/0/delta/tool_calls/0/function/arguments")
                                .asText(""));
            }
        }
        assertThat(JSON.readTree(streamed.toString())).isEqualTo(arguments);
    }

    @Test
    void completesAPromptOfTokenIds() throws Exception {
        start(fast());
        JsonNode answer =
                json(post("/v1/completions", "{\"prompt\":[1,2,3,4,5],\"max_tokens\":2}"));
        assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(5);
        assertThat(answer.at("/choices/0/text").asText()).isNotEmpty();
    }

    @Test
    void embedsEqualTextsEquallyInBothEncodings() throws Exception {
        start(fast());
        JsonNode answer =
                json(
                        post(
                                "/v1/embeddings",
                                "{\"input\":[\"a river\",\"a"
                                        + " river\",\"stone\"],\"dimensions\":8}"));
        assertThat(answer.at("/data/0/embedding")).hasSize(8);
        assertThat(answer.at("/data/0/embedding")).isEqualTo(answer.at("/data/1/embedding"));
        assertThat(answer.at("/data/0/embedding")).isNotEqualTo(answer.at("/data/2/embedding"));
        JsonNode coded =
                json(
                        post(
                                "/v1/embeddings",
                                "{\"input\":\"a river\",\"dimensions\":8,"
                                        + "\"encoding_format\":\"base64\"}"));
        assertThat(coded.at("/data/0/embedding").binaryValue()).hasSize(8 * Float.BYTES);
    }

    @Test
    void tellsWhatIsWrongInTheShapeOfTheEngine() throws Exception {
        start(fast().withModel(fast().model().withContextTokens(100)));
        assertError(
                post("/v1/chat/completions", "{\"model\":\"gpt\"," + HELLO + "}"), 404, "`gpt`");
        assertError(post("/v1/chat/completions", "{\"messages\":["), 400, "JSON decode error");
        assertError(post("/v1/chat/completions", "{}"), 400, "messages must be a list");
        assertError(
                post("/v1/chat/completions", "{" + HELLO + ",\"max_tokens\":0}"),
                400,
                "max_tokens must be at least 1");
        assertError(
                post("/v1/chat/completions", "{" + HELLO + ",\"max_tokens\":500}"),
                400,
                "maximum context length is 100 tokens");
        assertThat(get("/nowhere").statusCode()).isEqualTo(404);
    }

    @Test
    void describesItself() throws Exception {
        start(fast().withServedModel("llama"));
        assertThat(get("/health").statusCode()).isEqualTo(200);
        assertThat(json(get("/version")).at("/version").asText()).isNotEmpty();
        JsonNode model = json(get("/v1/models")).at("/data/0");
        assertThat(model.at("/id").asText()).isEqualTo("llama");
        assertThat(model.at("/max_model_len").asInt()).isEqualTo(131_072);
    }

    @Test
    void measuresInTheNamesOfVllm() throws Exception {
        start(fast().withServedModel("llama"));
        post("/v1/chat/completions", "{" + HELLO + ",\"max_tokens\":5}");
        String text = get("/metrics").body();
        assertThat(text)
                .contains(
                        "# TYPE vllm:num_requests_running gauge",
                        "vllm:num_requests_running{engine=\"0\",model_name=\"llama\"} 0.0",
                        "vllm:generation_tokens_total{engine=\"0\",model_name=\"llama\"} 5.0",
                        "vllm:request_success_total{engine=\"0\",finished_reason=\"length\","
                                + "model_name=\"llama\"} 1.0",
                        "vllm:time_to_first_token_seconds_count{engine=\"0\","
                                + "model_name=\"llama\"} 1.0",
                        "vllm:e2e_request_latency_seconds_bucket{engine=\"0\","
                                + "model_name=\"llama\",le=\"+Inf\"} 1.0");
        assertThat(text.lines().filter(l -> !l.startsWith("#")))
                .allMatch(l -> l.matches("[a-z0-9_:]+\\{[^}]*} [-0-9.E]+"));
    }

    @Test
    void freesSlotAndMemoryAtOnceWhenTheClientLeaves() throws Exception {
        start(fast().withModel(fast().model().withItl(Duration.ofMillis(20))));
        HttpResponse<java.io.InputStream> stream =
                client.send(
                        request(
                                "/v1/chat/completions",
                                "{" + HELLO + ",\"stream\":true,\"max_tokens\":9999}"),
                        BodyHandlers.ofInputStream());
        assertThat(stream.body().read()).isEqualTo('d');
        assertThat(metric("vllm:num_requests_running")).isEqualTo(1);
        stream.body().close();
        await().atMost(Duration.ofSeconds(2)).until(() -> metric("vllm:num_requests_running") == 0);
        assertThat(metric("vllm:kv_cache_usage_perc")).isZero();
        assertThat(metric("sim:aborted_total")).isEqualTo(1);
        assertThat(metric("sim:started_total")).isEqualTo(1);
        assertThat(json(get("/sim/requests")).at("/last/0/ending").asText()).isEqualTo("aborted");
    }

    @Test
    void findsARepeatedPromptInItsCache() throws Exception {
        start(fast());
        String call = "{\"max_tokens\":1,\"prompt\":\"" + "once upon a time ".repeat(40) + "\"}";
        assertThat(cached(post("/v1/completions", call))).isZero();
        assertThat(cached(post("/v1/completions", call))).isEqualTo(10 * 16);
    }

    @Test
    void isUnhealthyUntilItHasStarted() throws Exception {
        start(fast().withColdStart(Duration.ofMillis(300)));
        assertThat(get("/health").statusCode()).isEqualTo(503);
        assertError(post("/v1/completions", "{\"prompt\":\"x\"}"), 503, "loading");
        await().atMost(Duration.ofSeconds(5)).until(() -> get("/health").statusCode() == 200);
    }

    @Test
    void saysWhichPortIsTaken() throws Exception {
        start(fast());
        assertThatThrownBy(() -> Simulator.start(fast().withPort(simulator.port())))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("127.0.0.1:" + simulator.port())
                .hasMessageContaining("--port");
    }

    static SimulatorConfig fast() {
        ReplicaModel model = SimulatorConfig.defaults().model();
        return SimulatorConfig.defaults()
                .withModel(
                        model.withTtft(Duration.ofMillis(2))
                                .withItl(Duration.ofMillis(1))
                                .withPrefillRate(1e6));
    }

    private void start(SimulatorConfig config) throws IOException {
        simulator = Simulator.start(config);
    }

    private static int cached(HttpResponse<String> response) throws IOException {
        return json(response).at("/usage/prompt_tokens_details/cached_tokens").asInt();
    }

    private static void assertError(HttpResponse<String> response, int status, String message)
            throws IOException {
        assertThat(response.statusCode()).isEqualTo(status);
        JsonNode error = JSON.readTree(response.body()).at("/error");
        assertThat(error.at("/message").asText()).contains(message);
        assertThat(error.at("/code").asInt()).isEqualTo(status);
    }

    private double metric(String name) throws Exception {
        Matcher line =
                Pattern.compile("(?m)^" + name + "\\{[^}]*} (\\S+)$")
                        .matcher(get("/metrics").body());
        assertThat(line.find()).isTrue();
        return Double.parseDouble(line.group(1));
    }

    private List<String> events(String body) throws Exception {
        var out = new ArrayList<String>();
        for (String line : post("/v1/chat/completions", body).body().split("\n")) {
            if (line.startsWith("data: ")) {
                out.add(line.substring(6));
            }
        }
        return out;
    }

    private static JsonNode json(HttpResponse<String> response) throws IOException {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return JSON.readTree(response.body());
    }

    private HttpResponse<String> post(String path, String body) throws Exception {
        return client.send(request(path, body), BodyHandlers.ofString(StandardCharsets.UTF_8));
    }

    private HttpResponse<String> get(String path) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create(simulator.url() + path)).build(),
                BodyHandlers.ofString(StandardCharsets.UTF_8));
    }

    private HttpRequest request(String path, String body) {
        return HttpRequest.newBuilder(URI.create(simulator.url() + path))
                .header("content-type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build();
    }
}
