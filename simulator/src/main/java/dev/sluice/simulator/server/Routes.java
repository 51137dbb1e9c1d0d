package dev.sluice.simulator.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.sluice.simulator.replica.ReplicaModel;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.random.RandomGenerator;

/// What each path of the replica answers. On the event loop.
public final class Routes {
    private static final String VERSION = "0.11.0+sluice.sim";
    private static final int MEAN_TOKENS = 128;
    private static final int MOST_TOKENS = 2_048;

    private final ReplicaModel model;
    private final Engine engine;
    private final Ledger ledger;
    private final RandomGenerator random;
    private final Mishaps mishaps;
    private final long readyNanos;
    private final ObjectMapper mapper = new ObjectMapper();

    public Routes(
            ReplicaModel model,
            Engine engine,
            Ledger ledger,
            RandomGenerator random,
            Mishaps mishaps,
            long readyNanos) {
        this.model = model;
        this.engine = engine;
        this.ledger = ledger;
        this.random = random;
        this.mishaps = mishaps;
        this.readyNanos = readyNanos;
    }

    public void answer(Exchange exchange) {
        if (exchange.path().startsWith("/sim/")) {
            introspect(exchange);
            return;
        }
        if (mishaps.hungEntirely()) {
            ledger.metrics().faulted(false);
            return;
        }
        long missing = readyNanos - engine.now();
        if (missing > 0) {
            String wait = "The model is loading, ready in " + missing / 1_000_000 + " ms.";
            refuse(exchange, new ApiError(503, wait, null), "");
            return;
        }
        switch (exchange.method() + " " + exchange.path()) {
            case "POST /v1/chat/completions" -> inference(exchange, true);
            case "POST /v1/completions" -> inference(exchange, false);
            case "POST /v1/embeddings" -> embeddings(exchange);
            case "POST /tokenize" -> tokenize(exchange);
            case "GET /v1/models" -> models(exchange);
            case "GET /health", "GET /ping" -> health(exchange);
            case "GET /version" -> exchange.json(200, "{\"version\":\"" + VERSION + "\"}");
            case "GET /metrics" -> metrics(exchange);
            default -> unknown(exchange);
        }
    }

    private void inference(Exchange exchange, boolean chat) {
        Faults.Kind fault = mishaps.pick();
        if (fault != null && strikeAtOnce(exchange, fault)) {
            return;
        }
        JsonNode json = body(exchange);
        if (json == null) {
            return;
        }
        switch (GenerationRequest.parse(json, chat)) {
            case GenerationRequest.Parsed.Bad bad -> refuse(exchange, bad.error(), "");
            case GenerationRequest.Parsed.Good good -> generate(exchange, good.request(), fault);
        }
    }

    private void generate(
            Exchange exchange, GenerationRequest request, Faults.@Nullable Kind fault) {
        int prompt = request.prompt().tokens();
        int room = model.contextTokens() - prompt;
        Integer limit = request.maxTokens();
        if (room < 1 || (limit != null && limit > room)) {
            refuse(exchange, tooLong(prompt, limit), "");
            return;
        }
        Answer answer =
                request.forcedTool() != null
                        ? Answer.ToolCall.of(request.forcedTool())
                        : new Answer.Words(
                                limit == null ? naturalTokens() : Integer.MAX_VALUE,
                                random.nextLong());
        int tokens = Math.min(answer.naturalTokens(), limit == null ? room : limit);
        String id = (request.chat() ? "chatcmpl-" : "cmpl-") + ledger.nextId();
        Generation.Planned planned =
                fault == null
                        ? null
                        : new Generation.Planned(
                                fault, 1 + random.nextInt(Math.max(1, tokens - 1)));
        new Generation(exchange, request, answer, tokens, id, planned, engine, ledger).begin();
    }

    /// Geometric, as if each token were the last with the same chance.
    private int naturalTokens() {
        double draw = Math.log(1 - random.nextDouble()) / Math.log(1 - 1.0 / MEAN_TOKENS);
        return (int) Math.min(MOST_TOKENS, 1 + draw);
    }

    private void embeddings(Exchange exchange) {
        Faults.Kind fault = mishaps.pick();
        if (fault != null
                && (strikeAtOnce(exchange, fault) || strikeInTheMiddle(exchange, fault))) {
            return;
        }
        JsonNode json = body(exchange);
        if (json == null) {
            return;
        }
        ApiError error = Embedding.begin(exchange, json, engine, ledger, model.contextTokens());
        if (error != null) {
            refuse(exchange, error, "");
        }
    }

    /// Whether the fault is one that needs no generation, and has been done.
    private boolean strikeAtOnce(Exchange exchange, Faults.Kind fault) {
        boolean struck =
                switch (fault) {
                    case ERROR -> {
                        refuse(exchange, new ApiError(500, "Fault on purpose: error.", null), "");
                        yield true;
                    }
                    case STATUS -> {
                        var error =
                                new ApiError(
                                        mishaps.faults().status(),
                                        "Fault on purpose: status.",
                                        null);
                        refuse(exchange, error, "");
                        yield true;
                    }
                    case REFUSE -> {
                        var error = new ApiError(429, "Fault on purpose: refuse.", null);
                        refuse(exchange, error, "retry-after: 1\r\n");
                        yield true;
                    }
                    case HANG -> true;
                    case CLOSE -> {
                        exchange.close();
                        yield true;
                    }
                    case STALL, RESET, TRUNCATE, GARBAGE, UNHEALTHY -> false;
                };
        if (struck) {
            ledger.metrics().faulted(false);
        }
        return struck;
    }

    /// The same faults on a call that has no middle.
    private boolean strikeInTheMiddle(Exchange exchange, Faults.Kind fault) {
        ledger.metrics().faulted(false);
        if (fault == Faults.Kind.RESET) {
            exchange.reset();
        } else if (fault != Faults.Kind.STALL) {
            exchange.garbage("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id\":");
        }
        return true;
    }

    private void tokenize(Exchange exchange) {
        JsonNode json = body(exchange);
        if (json == null) {
            return;
        }
        boolean chat = json.has("messages");
        byte[] text =
                chat
                        ? GenerationRequest.conversation(json)
                        : GenerationRequest.prompt(json.path("prompt"));
        if (text == null) {
            refuse(
                    exchange,
                    ApiError.badRequest("prompt or messages must be given.", "prompt"),
                    "");
            return;
        }
        Prompt prompt = Prompt.of(text);
        ObjectNode root = mapper.createObjectNode();
        root.put("count", prompt.tokens());
        root.put("max_model_len", model.contextTokens());
        ArrayNode ids = root.putArray("tokens");
        for (int i = 0; i < prompt.tokens(); i++) {
            ids.add(prompt.tokenId(i));
        }
        root.putNull("token_strs");
        exchange.json(200, root.toString());
    }

    private void models(Exchange exchange) {
        ObjectNode root = mapper.createObjectNode();
        root.put("object", "list");
        ObjectNode card = root.putArray("data").addObject();
        card.put("id", ledger.servedModel());
        card.put("object", "model");
        card.put("created", ledger.epochSeconds());
        card.put("owned_by", "vllm");
        card.put("root", ledger.servedModel());
        card.putNull("parent");
        card.put("max_model_len", model.contextTokens());
        exchange.json(200, root.toString());
    }

    private void health(Exchange exchange) {
        boolean sick = mishaps.faults().rate(Faults.Kind.UNHEALTHY) > 0;
        exchange.respond(sick ? 503 : 200, "text/plain", new byte[0], "");
    }

    private void metrics(Exchange exchange) {
        exchange.respond(
                200,
                "text/plain; version=0.0.4; charset=utf-8",
                ledger.metrics().exposition(engine.replica()).getBytes(StandardCharsets.UTF_8),
                "");
    }

    private void introspect(Exchange exchange) {
        switch (exchange.method() + " " + exchange.path()) {
            case "GET /sim/requests" -> exchange.json(200, ledger.json(engine.replica()));
            case "GET /sim/faults" -> exchange.json(200, mishaps.json());
            case "POST /sim/faults" -> {
                try {
                    mishaps.replace(Faults.of(mapper.readTree(exchange.body())));
                    exchange.json(200, mishaps.json());
                } catch (IOException | IllegalArgumentException e) {
                    refuse(exchange, ApiError.badRequest(String.valueOf(e.getMessage()), null), "");
                }
            }
            default -> unknown(exchange);
        }
    }

    private void unknown(Exchange exchange) {
        exchange.json(404, "{\"detail\":\"Not Found\"}");
    }

    /// The JSON of the body when it names the served model; otherwise the refusal has been sent.
    private @Nullable JsonNode body(Exchange exchange) {
        JsonNode json;
        try {
            json = mapper.readTree(exchange.body());
        } catch (JsonProcessingException e) {
            refuse(
                    exchange,
                    ApiError.badRequest("JSON decode error: " + e.getOriginalMessage(), null),
                    "");
            return null;
        } catch (IOException e) {
            throw new IllegalStateException("bytes in memory were not readable", e);
        }
        if (!json.isObject()) {
            refuse(exchange, ApiError.badRequest("The body must be a JSON object.", null), "");
            return null;
        }
        String asked = json.path("model").asText("");
        if (!asked.isEmpty() && !asked.equals(ledger.servedModel())) {
            refuse(
                    exchange,
                    new ApiError(404, "The model `" + asked + "` does not exist.", "model"),
                    "");
            return null;
        }
        return json;
    }

    private ApiError tooLong(int prompt, @Nullable Integer limit) {
        int output = limit == null ? 1 : limit;
        return ApiError.badRequest(
                "This model's maximum context length is "
                        + model.contextTokens()
                        + " tokens. However, you requested "
                        + ((long) prompt + output)
                        + " tokens ("
                        + prompt
                        + " in the messages, "
                        + output
                        + " in the completion). Please reduce the length of the messages or"
                        + " completion.",
                limit == null ? "messages" : "max_tokens");
    }

    private static void refuse(Exchange exchange, ApiError error, String extra) {
        exchange.respond(
                error.status(),
                "application/json",
                error.json().getBytes(StandardCharsets.UTF_8),
                extra);
    }
}
