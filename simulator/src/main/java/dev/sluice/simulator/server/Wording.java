package dev.sluice.simulator.server;

import com.fasterxml.jackson.core.io.JsonStringEncoder;

import java.nio.charset.StandardCharsets;

/// The JSON around an answer: everything that is the same for each token is encoded once.
final class Wording {

    /// The fields that every object of one answer shares.
    private record Frame(String id, String created, String model) {
        String open(String object) {
            return "{\"id\":\""
                    + id
                    + "\",\"object\":\""
                    + object
                    + "\",\"created\":"
                    + created
                    + ",\"model\":\""
                    + model
                    + "\",";
        }
    }

    private final byte[] opening;
    private final byte[] before;
    private final byte[] after;
    private final byte[] afterLast;
    private final Frame frame;

    private Wording(byte[] opening, byte[] before, byte[] after, byte[] afterLast, Frame frame) {
        this.opening = opening;
        this.before = before;
        this.after = after;
        this.afterLast = afterLast;
        this.frame = frame;
    }

    static Wording of(
            GenerationRequest request,
            Answer answer,
            String id,
            long created,
            String model,
            String finish) {
        var frame = new Frame(id, Long.toString(created), quote(model));
        String event =
                "data: "
                        + frame.open(request.chat() ? "chat.completion.chunk" : "text_completion")
                        + "\"choices\":[{\"index\":0,";
        String end = ",\"logprobs\":null,\"finish_reason\":";
        if (!request.chat()) {
            return new Wording(
                    new byte[0],
                    bytes(event + "\"text\":\""),
                    bytes("\"" + end + "null}]}\n\n"),
                    bytes("\"" + end + "\"" + finish + "\"}]}\n\n"),
                    frame);
        }
        return switch (answer) {
            case Answer.Words _ ->
                    new Wording(
                            bytes(
                                    event
                                            + "\"delta\":{\"role\":\"assistant\",\"content\":\"\"}"
                                            + end
                                            + "null}]}\n\n"),
                            bytes(event + "\"delta\":{\"content\":\""),
                            bytes("\"}" + end + "null}]}\n\n"),
                            bytes("\"}" + end + "\"" + finish + "\"}]}\n\n"),
                            frame);
            case Answer.ToolCall call ->
                    new Wording(
                            bytes(
                                    event
                                            + "\"delta\":{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
                                            + tool(call, id, "\"index\":0,", "")
                                            + "]}"
                                            + end
                                            + "null}]}\n\n"),
                            bytes(
                                    event
                                            + "\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\""),
                            bytes("\"}}]}" + end + "null}]}\n\n"),
                            bytes("\"}}]}" + end + "\"" + finish + "\"}]}\n\n"),
                            frame);
        };
    }

    /// The chunk before the first token, or empty.
    byte[] opening() {
        return opening;
    }

    /// What precedes a token's text in its chunk.
    byte[] before() {
        return before;
    }

    /// What follows it.
    byte[] after() {
        return after;
    }

    /// What follows the last one.
    byte[] afterLast() {
        return afterLast;
    }

    /// The event with the usage that `include_usage` asks for, and the end mark.
    byte[] ending(GenerationRequest request, String usage) {
        if (!request.includeUsage()) {
            return bytes("data: [DONE]\n\n");
        }
        return bytes(
                "data: "
                        + frame.open(request.chat() ? "chat.completion.chunk" : "text_completion")
                        + "\"choices\":[],\"usage\":"
                        + usage
                        + "}\n\ndata: [DONE]\n\n");
    }

    /// The whole answer as one object.
    byte[] whole(
            GenerationRequest request, Answer answer, String text, String finish, String usage) {
        String end =
                ",\"logprobs\":null,\"finish_reason\":\""
                        + finish
                        + "\",\"stop_reason\":null}],\"usage\":"
                        + usage
                        + "}";
        if (!request.chat()) {
            return bytes(
                    frame.open("text_completion")
                            + "\"choices\":[{\"index\":0,\"text\":\""
                            + text
                            + "\""
                            + end);
        }
        String message =
                switch (answer) {
                    case Answer.Words _ ->
                            "\"content\":\"" + text + "\",\"refusal\":null,\"tool_calls\":[]";
                    case Answer.ToolCall call ->
                            "\"content\":null,\"refusal\":null,\"tool_calls\":["
                                    + tool(call, frame.id(), "", text)
                                    + "]";
                };
        return bytes(
                frame.open("chat.completion")
                        + "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                        + message
                        + "}"
                        + end);
    }

    static String usage(int promptTokens, int cachedTokens, int outputTokens) {
        return "{\"prompt_tokens\":"
                + promptTokens
                + ",\"total_tokens\":"
                + (promptTokens + outputTokens)
                + ",\"completion_tokens\":"
                + outputTokens
                + ",\"prompt_tokens_details\":{\"cached_tokens\":"
                + cachedTokens
                + "}}";
    }

    static String quote(String text) {
        return new String(JsonStringEncoder.getInstance().quoteAsString(text));
    }

    private static String tool(Answer.ToolCall call, String id, String index, String arguments) {
        return "{"
                + index
                + "\"id\":\"call_"
                + id.substring(id.length() - 12)
                + "\",\"type\":\"function\",\"function\":{\"name\":\""
                + quote(call.name())
                + "\",\"arguments\":\""
                + arguments
                + "\"}}";
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
