package dev.sluice.simulator.server;

import com.fasterxml.jackson.databind.JsonNode;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// What a chat or completion call asks for, read from its JSON.
///
/// @param chat whether the answer has the shape of a chat completion
/// @param maxTokens the limit asked for, or null for none
/// @param forcedTool the tool that the answer must call, or null
record GenerationRequest(
        boolean chat,
        boolean stream,
        boolean includeUsage,
        @Nullable Integer maxTokens,
        Prompt prompt,
        @Nullable JsonNode forcedTool) {

    /// A request or why it is none.
    sealed interface Parsed {
        record Good(GenerationRequest request) implements Parsed {}

        record Bad(ApiError error) implements Parsed {}
    }

    static Parsed parse(JsonNode json, boolean chat) {
        if (json.path("n").asInt(1) != 1) {
            return bad("This server answers with one choice: write n=1.", "n");
        }
        String limitName =
                json.hasNonNull("max_completion_tokens") ? "max_completion_tokens" : "max_tokens";
        JsonNode limit = json.path(limitName);
        boolean limited = !limit.isMissingNode() && !limit.isNull();
        if (limited
                && (!limit.canConvertToInt()
                        || !limit.isIntegralNumber()
                        || limit.intValue() < 1)) {
            return bad(limitName + " must be at least 1, got " + limit + ".", limitName);
        }
        JsonNode stream = json.path("stream");
        if (!stream.isMissingNode() && !stream.isNull() && !stream.isBoolean()) {
            return bad("stream must be true or false, got " + stream + ".", "stream");
        }
        byte[] text = chat ? conversation(json) : prompt(json.path("prompt"));
        if (text == null) {
            return chat
                    ? bad("messages must be a list of objects with a role.", "messages")
                    : bad(
                            "prompt must be a text, a list with one text, or a list of token ids.",
                            "prompt");
        }
        return new Parsed.Good(
                new GenerationRequest(
                        chat,
                        stream.asBoolean(false),
                        json.path("stream_options").path("include_usage").asBoolean(false),
                        limited ? limit.intValue() : null,
                        Prompt.of(text),
                        chat ? forcedTool(json) : null));
    }

    /// The messages and tools in a plain chat template, or null when they have no such shape.
    static byte @Nullable [] conversation(JsonNode json) {
        JsonNode messages = json.path("messages");
        if (!messages.isArray() || messages.isEmpty()) {
            return null;
        }
        var out = new StringBuilder();
        if (!json.path("tools").isEmpty()) {
            out.append("<|tools|>").append(json.path("tools")).append('\n');
        }
        for (JsonNode message : messages) {
            if (!message.path("role").isTextual()) {
                return null;
            }
            out.append("<|").append(message.path("role").textValue()).append("|>\n");
            appendContent(message.path("content"), out);
            if (!message.path("tool_calls").isEmpty()) {
                out.append(message.path("tool_calls"));
            }
            out.append('\n');
        }
        return out.toString().getBytes(StandardCharsets.UTF_8);
    }

    /// The text of `prompt`, with token ids as four bytes each; null when it is something else.
    static byte @Nullable [] prompt(JsonNode prompt) {
        if (prompt.isTextual()) {
            return prompt.textValue().getBytes(StandardCharsets.UTF_8);
        }
        if (!prompt.isArray() || prompt.isEmpty()) {
            return null;
        }
        if (prompt.size() == 1 && !prompt.get(0).isNumber()) {
            return prompt(prompt.get(0));
        }
        var out = new ByteArrayOutputStream(prompt.size() * Prompt.BYTES_PER_TOKEN);
        for (JsonNode id : prompt) {
            if (!id.isIntegralNumber()) {
                return null;
            }
            out.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(id.intValue()).array());
        }
        return out.toByteArray();
    }

    private static void appendContent(JsonNode content, StringBuilder out) {
        if (content.isTextual()) {
            out.append(content.textValue());
            return;
        }
        for (JsonNode part : content) {
            JsonNode text = part.path("text");
            out.append(text.isTextual() ? text.textValue() : part.toString());
        }
    }

    private static @Nullable JsonNode forcedTool(JsonNode json) {
        JsonNode choice = json.path("tool_choice");
        boolean any = choice.asText().equals("required");
        String name = choice.path("function").path("name").asText("");
        for (JsonNode tool : json.path("tools")) {
            JsonNode function = tool.path("function");
            if (any || (!name.isEmpty() && function.path("name").asText().equals(name))) {
                return function;
            }
        }
        return null;
    }

    private static Parsed bad(String message, String param) {
        return new Parsed.Bad(ApiError.badRequest(message, param));
    }
}
