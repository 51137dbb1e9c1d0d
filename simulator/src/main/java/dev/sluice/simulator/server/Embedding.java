package dev.sluice.simulator.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.sluice.simulator.replica.Sequence;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/// One embeddings call: costs the engine the prefill of its inputs, then answers with unit vectors.
///
/// A vector is the normalised sum of one random vector for each word, seeded by the word (random
/// indexing, Kanerva 2000): equal texts are equal, texts that share words are near.
final class Embedding implements Sequence.Sink {
    private static final int DIMENSIONS = 256;

    private final Exchange exchange;
    private final JsonNode json;
    private final List<byte[]> inputs;
    private final int tokens;
    private final Engine engine;
    private final Ledger ledger;
    private final Sequence sequence;
    private final long submittedNanos;

    private Embedding(
            Exchange exchange, JsonNode json, List<byte[]> inputs, Engine engine, Ledger ledger) {
        this.exchange = exchange;
        this.json = json;
        this.inputs = inputs;
        this.tokens = inputs.stream().mapToInt(i -> Prompt.of(i).tokens()).sum();
        this.engine = engine;
        this.ledger = ledger;
        this.sequence = new Sequence(tokens, 1, new long[0], this);
        this.submittedNanos = engine.now();
    }

    /// Queues the call.
    ///
    /// @return what is wrong with it, or null
    static @Nullable ApiError begin(
            Exchange exchange, JsonNode json, Engine engine, Ledger ledger, int contextTokens) {
        JsonNode input = json.path("input");
        var inputs = new ArrayList<byte[]>();
        boolean many = input.isArray() && !input.path(0).isNumber();
        for (JsonNode one : many ? input : List.of(input)) {
            byte[] text = GenerationRequest.prompt(one);
            if (text == null) {
                return ApiError.badRequest(
                        "input must be a text, a list of texts, or lists of token ids.", "input");
            }
            inputs.add(text);
        }
        if (inputs.isEmpty()) {
            return ApiError.badRequest("input must not be empty.", "input");
        }
        var embedding = new Embedding(exchange, json, inputs, engine, ledger);
        if (embedding.tokens >= contextTokens) {
            return ApiError.badRequest(
                    "This model's maximum context length is "
                            + contextTokens
                            + " tokens. However, you requested "
                            + embedding.tokens
                            + " tokens. Please reduce the length of the input.",
                    "input");
        }
        exchange.onClientLeft(embedding::clientLeft);
        ledger.metrics().submitted();
        engine.submit(embedding.sequence);
        return null;
    }

    @Override
    public void started(Sequence self, long nowNanos) {
        ledger.metrics().started(nowNanos - submittedNanos);
    }

    @Override
    public void token(Sequence self, long nowNanos) {
        ledger.metrics().finished("stop", 1, nowNanos - submittedNanos, 0);
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("id", "embd-" + ledger.nextId());
        root.put("object", "list");
        root.put("created", ledger.epochSeconds());
        root.put("model", ledger.servedModel());
        ArrayNode list = root.putArray("data");
        int dimensions = Math.clamp(json.path("dimensions").asInt(DIMENSIONS), 1, 8_192);
        boolean base64 = json.path("encoding_format").asText("float").equals("base64");
        for (byte[] input : inputs) {
            ObjectNode item = list.addObject();
            item.put("index", list.size() - 1);
            item.put("object", "embedding");
            float[] vector = vector(new String(input, StandardCharsets.UTF_8), dimensions);
            if (base64) {
                item.put("embedding", base64(vector));
            } else {
                ArrayNode numbers = item.putArray("embedding");
                for (float number : vector) {
                    numbers.add(number);
                }
            }
        }
        ObjectNode usage = root.putObject("usage");
        usage.put("prompt_tokens", tokens);
        usage.put("total_tokens", tokens);
        usage.put("completion_tokens", 0);
        exchange.json(200, root.toString());
    }

    static float[] vector(String text, int dimensions) {
        double[] sum = new double[dimensions];
        for (String word : text.toLowerCase(Locale.ROOT).split("\\W+")) {
            var random = new SplittableRandom(word.hashCode());
            for (int i = 0; i < dimensions; i++) {
                sum[i] += random.nextGaussian();
            }
        }
        double square = 0;
        for (double part : sum) {
            square += part * part;
        }
        float[] out = new float[dimensions];
        for (int i = 0; i < dimensions; i++) {
            out[i] = (float) (sum[i] / Math.sqrt(square));
        }
        return out;
    }

    private void clientLeft() {
        if (!sequence.ended()) {
            engine.abort(sequence);
            ledger.metrics().aborted();
        }
    }

    private static String base64(float[] vector) {
        ByteBuffer bytes =
                ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float number : vector) {
            bytes.putFloat(number);
        }
        return Base64.getEncoder().encodeToString(bytes.array());
    }
}
