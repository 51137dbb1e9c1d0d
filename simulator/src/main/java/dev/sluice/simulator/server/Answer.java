package dev.sluice.simulator.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/// What a generation says, token by token, as text that needs no thought to be put into JSON.
sealed interface Answer {
    /// How many tokens it has when nothing limits it.
    int naturalTokens();

    /// The text of one token, escaped for a JSON string.
    String piece(int index);

    /// Readable words drawn by a seed. The same seed says the same.
    record Words(int naturalTokens, long seed) implements Answer {
        private static final String[] WORDS =
                ("the river runs past our mill and every morning a small boat brings grain from the"
                     + " far bank while children watch how water turns the old wheel without any"
                     + " hurry because rain fell in spring so there is enough for all who wait here"
                     + " under green trees until evening light comes down on stone bridges where"
                     + " quiet people talk about work weather bread time")
                        .split(" ");
        private static final String[] SPACED = spaced();

        @Override
        public String piece(int index) {
            long draw = Prompt.mix(seed + index * 0x9E3779B97F4A7C15L);
            int word = (int) Math.floorMod(draw, (long) WORDS.length);
            return index == 0 ? WORDS[word] : SPACED[word];
        }

        private static String[] spaced() {
            String[] out = new String[WORDS.length];
            for (int i = 0; i < out.length; i++) {
                out[i] = " " + WORDS[i];
            }
            return out;
        }
    }

    /// The arguments of a call of the forced tool: each required property with a value of its type.
    record ToolCall(String name, String arguments) implements Answer {
        static ToolCall of(JsonNode function) {
            ObjectNode arguments = JsonNodeFactory.instance.objectNode();
            JsonNode parameters = function.path("parameters");
            for (JsonNode required : parameters.path("required")) {
                JsonNode property = parameters.path("properties").path(required.asText());
                arguments.set(required.asText(), value(property));
            }
            return new ToolCall(function.path("name").asText(), arguments.toString());
        }

        @Override
        public int naturalTokens() {
            return (arguments.length() + Prompt.BYTES_PER_TOKEN - 1) / Prompt.BYTES_PER_TOKEN;
        }

        @Override
        public String piece(int index) {
            int from = index * Prompt.BYTES_PER_TOKEN;
            int to = Math.min(arguments.length(), from + Prompt.BYTES_PER_TOKEN);
            return arguments.substring(from, to).replace("\\", "\\\\").replace("\"", "\\\"");
        }

        private static JsonNode value(JsonNode property) {
            JsonNodeFactory json = JsonNodeFactory.instance;
            if (!property.path("enum").isEmpty()) {
                return property.path("enum").get(0);
            }
            return switch (property.path("type").asText("string")) {
                case "integer", "number" -> json.numberNode(7);
                case "boolean" -> json.booleanNode(true);
                case "array" -> json.arrayNode();
                case "object" -> json.objectNode();
                case "null" -> json.nullNode();
                default -> json.textNode("river");
            };
        }
    }
}
