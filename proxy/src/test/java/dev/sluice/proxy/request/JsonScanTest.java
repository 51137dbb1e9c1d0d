package dev.sluice.proxy.request;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;

import io.netty.buffer.Unpooled;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Random;

class JsonScanTest {
    private static final JsonFactory STRICT =
            JsonFactory.builder()
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxNestingDepth(JsonScan.MAX_DEPTH)
                                    .build())
                    .build();

    @Test
    void findsWhatPlacesACall() {
        String body =
                """
                {"messages":[{"role":"user","content":"model \\" {}"}], "model" : "lla\\u006da",
                 "stream": true, "max_tokens":128, "user":"u", "prompt_cache_key":"k",
                 "x":{"model":"other","stream":false}}\
                """;
        for (int split = 0; split <= body.length(); split++) {
            var scan = new JsonScan();
            assertThat(read(scan, body.substring(0, split))).isNull();
            assertThat(read(scan, body.substring(split))).isNull();
            assertThat(scan.finish()).isNull();
            assertThat(scan.model()).isEqualTo("llama");
            assertThat(scan.stream()).isTrue();
            assertThat(scan.maxTokens()).isEqualTo(128);
            assertThat(scan.affinity()).isEqualTo("k");
            assertThat(body.substring((int) scan.modelStart(), (int) scan.modelEnd()))
                    .isEqualTo("\"lla\\u006da\"");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"max_tokens\":7}|7",
                "{\"max_completion_tokens\":7}|7",
                "{\"max_output_tokens\":7}|7",
                "{\"max_tokens\":null}|0",
                "{\"max_tokens\":-7}|0",
                "{\"max_tokens\":7.5}|0",
                "{\"max_tokens\":99999999999}|0",
                "{\"a\":{\"max_tokens\":7}}|0",
                "{\"max_tokens\":[7]}|0",
            })
    void readsTheBoundOnTokens(String body, int tokens) {
        assertThat(scan(body).maxTokens()).isEqualTo(tokens);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"model\":\"a\",\"model\":\"b\"}|duplicate_model",
                "{\"model\":\"a\",\"model\":\"a\"}|duplicate_model",
                "{\"model\":\"a\",\"\\u006dodel\":\"b\"}|duplicate_model",
                "{\"mo\\u0064el\":\"a\",\"x\":[{}],\"model\":1}|duplicate_model",
                "{\"model\":\"\",\"model\":\"b\"}|duplicate_model",
                "{\"model\":null}|invalid_model",
                "{\"model\":[\"a\"]}|invalid_model",
                "{\"model\":{}}|invalid_model",
                "{\"model\":1}|invalid_model",
                "{\"model\":tru|invalid_model",
                "[]|invalid_json",
                "\"a\"|invalid_json",
                "{\"a\":1}{|invalid_json",
                "{\"a\":1}}|invalid_json",
                "{\"a\":1]|invalid_json",
                "{\"a\":01}|invalid_json",
                "{\"a\":+1}|invalid_json",
                "{\"a\":.5}|invalid_json",
                "{\"a\":1.}|invalid_json",
                "{\"a\":1e}|invalid_json",
                "{\"a\":NaN}|invalid_json",
                "{\"a\":'b'}|invalid_json",
                "{a:1}|invalid_json",
                "{\"a\":1,}|invalid_json",
                "{\"a\":[1,]}|invalid_json",
                "{\"a\" 1}|invalid_json",
                "{\"a\":\"\\x\"}|invalid_json",
                "{\"a\":\"\\u00g0\"}|invalid_json",
                "{\"a\":1/**/}|invalid_json",
                "{\"a\":truE}|invalid_json",
                "\u00ef\u00bb\u00bf{}|invalid_json",
            })
    void refuses(String body, String code) {
        for (int split = 0; split <= body.length(); split++) {
            var scan = new JsonScan();
            Refusal problem = read(scan, body.substring(0, split));
            if (problem == null) {
                problem = read(scan, body.substring(split));
            }
            assertThat(problem).as("%s at %d", body, split).isNotNull();
            assertThat(problem.code()).isEqualTo(code);
            assertThat(problem.status()).isEqualTo(400);
            assertThat(scan.finish()).isSameAs(problem);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", " ", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":\"", "{\"a\":tru"})
    void refusesBodiesThatStopEarly(String body) {
        var scan = new JsonScan();
        assertThat(read(scan, body)).isNull();
        assertThat(scan.finish()).isNotNull();
    }

    @Test
    void boundsDepth() {
        int most = JsonScan.MAX_DEPTH - 1;
        assertThat(scan("{\"a\":" + "[".repeat(most) + "]".repeat(most) + "}")).isNotNull();
        var deep = new JsonScan();
        Refusal problem = read(deep, "{\"a\":" + "[".repeat(most + 1));
        assertThat(problem).isNotNull();
        assertThat(problem.code()).isEqualTo("json_too_deep");
    }

    @Test
    void refusesAnEndlessModelAndCutsAnEndlessUser() {
        assertThat(read(new JsonScan(), "{\"model\":\"" + "m".repeat(513))).isNotNull();
        assertThat(scan("{\"model\":\"" + "m".repeat(512) + "\"}").model()).hasSize(512);
        assertThat(scan("{\"user\":\"" + "u".repeat(5_000) + "\"}").affinity()).hasSize(512);
        assertThat(scan("{\"" + "k".repeat(5_000) + "\":1,\"model\":\"m\"}").model())
                .isEqualTo("m");
    }

    @Test
    void skipsLongStringsToTheirEnd() {
        for (int length = 0; length < 40; length++) {
            for (String end : new String[] {"", "\\\"", "\\\\", "\\u0041", "\u00e9"}) {
                String text = "x".repeat(length) + end + "y".repeat(40 - length);
                var scan = scan("{\"p\":\"" + text + "\",\"model\":\"m\"}");
                assertThat(scan.model()).isEqualTo("m");
            }
            var scan = new JsonScan();
            assertThat(read(scan, "{\"p\":\"" + "x".repeat(length) + "\u001f" + "y".repeat(20)))
                    .isNotNull();
        }
    }

    /// Whatever Jackson's strict parser takes, the scan takes, and the reverse; fields the same.
    @Test
    void agreesWithJackson() throws IOException {
        var random = new Random(11);
        int valid = 0;
        for (int round = 0; round < 20_000; round++) {
            String body = object(random, 0);
            for (int mutations = random.nextInt(4); mutations > 0; mutations--) {
                body = mutate(body, random);
            }
            byte[] bytes = body.getBytes(StandardCharsets.US_ASCII);
            var scan = new JsonScan();
            Refusal problem = null;
            for (int at = 0; at < bytes.length; ) {
                int n = Math.min(bytes.length - at, 1 + random.nextInt(20));
                problem = scan.read(Unpooled.wrappedBuffer(bytes, at, n));
                at += n;
            }
            problem = problem == null ? scan.finish() : problem;
            Oracle expected = jackson(bytes);
            if (problem != null && !problem.code().equals("invalid_json")) {
                // Rules beyond the grammar, which the other tests hold.
                continue;
            }
            assertThat(problem == null).as("%s: %s", body, problem).isEqualTo(expected != null);
            if (expected != null) {
                valid++;
                assertThat(scan.model()).as(body).isEqualTo(expected.model);
                assertThat(scan.stream()).as(body).isEqualTo(expected.stream);
            }
        }
        assertThat(valid).isGreaterThan(2_000);
    }

    private record Oracle(String model, boolean stream) {}

    /// Null when Jackson refuses it.
    private static Oracle jackson(byte[] bytes) throws IOException {
        String model = null;
        boolean stream = false;
        try (JsonParser parser = STRICT.createParser(bytes)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            int depth = 1;
            while (depth > 0) {
                JsonToken token = parser.nextToken();
                if (token == null) {
                    return null;
                }
                if (token.isScalarValue()) {
                    // Jackson reads lazily: what is not asked for is not checked.
                    String text = parser.getText();
                    if (depth == 1 && !parser.getParsingContext().inArray()) {
                        if ("model".equals(parser.currentName())) {
                            model = text;
                        }
                        if ("stream".equals(parser.currentName())
                                && (token.isBoolean() || token == JsonToken.VALUE_NULL)) {
                            stream = token == JsonToken.VALUE_TRUE;
                        }
                    }
                }
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
            }
            return parser.nextToken() == null ? new Oracle(model, stream) : null;
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            return null;
        }
    }

    private static String object(Random random, int depth) {
        var out = new StringBuilder("{");
        int fields = random.nextInt(5);
        boolean model = false;
        for (int i = 0; i < fields; i++) {
            String key =
                    switch (random.nextInt(6)) {
                        case 0 -> depth > 0 || !model ? "model" : "x";
                        case 1 -> "stream";
                        case 2 -> "max_tokens";
                        case 3 -> "mod\\u0065l2";
                        case 4 -> "";
                        default -> "k" + random.nextInt(100);
                    };
            out.append(i == 0 ? "" : ",").append(space(random)).append('"').append(key).append('"');
            out.append(space(random)).append(':').append(space(random));
            if (key.equals("model")) {
                model = true;
                out.append(string(random));
            } else {
                out.append(value(random, depth + 1));
            }
            out.append(space(random));
        }
        return out.append('}').toString();
    }

    private static String value(Random random, int depth) {
        return switch (random.nextInt(depth > 4 ? 5 : 7)) {
            case 0 -> string(random);
            case 1 -> random.nextBoolean() ? "true" : "false";
            case 2 -> "null";
            case 3 -> Integer.toString(random.nextInt(-1000, 1000));
            case 4 -> new String[] {"0", "-0", "1.5", "-2e10", "3E-2", "0.0e+1"}[random.nextInt(6)];
            case 5 -> object(random, depth);
            default -> {
                var out = new StringBuilder("[");
                for (int n = random.nextInt(3); n > 0; n--) {
                    out.append(value(random, depth + 1)).append(n > 1 ? "," : "");
                }
                yield out.append(']').toString();
            }
        };
    }

    private static String string(Random random) {
        var out = new StringBuilder("\"");
        for (int n = random.nextInt(20); n > 0; n--) {
            switch (random.nextInt(12)) {
                case 0 -> out.append("\\\"");
                case 1 -> out.append("\\\\");
                case 2 -> out.append("\\n");
                case 3 -> out.append("\\u0041");
                case 4 -> out.append("{}[],:".charAt(random.nextInt(6)));
                default -> out.append((char) ('a' + random.nextInt(26)));
            }
        }
        return out.append('"').toString();
    }

    private static String space(Random random) {
        return random.nextInt(4) > 0
                ? ""
                : new String[] {" ", "\n", "\r\n", "\t"}[random.nextInt(4)];
    }

    private static String mutate(String body, Random random) {
        int at = random.nextInt(body.length() + 1);
        String alphabet = "{}[]\",:\\0123456789-+.eEtfnu \t\n\u0001a";
        char c = alphabet.charAt(random.nextInt(alphabet.length()));
        return switch (random.nextInt(3)) {
            case 0 -> body.substring(0, at) + c + body.substring(at);
            case 1 -> at == body.length() ? body : body.substring(0, at) + body.substring(at + 1);
            default ->
                    at == body.length()
                            ? body + c
                            : body.substring(0, at) + c + body.substring(at + 1);
        };
    }

    private static JsonScan scan(String body) {
        var scan = new JsonScan();
        assertThat(read(scan, body)).isNull();
        assertThat(scan.finish()).isNull();
        return scan;
    }

    private static Refusal read(JsonScan scan, String text) {
        return scan.read(Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1));
    }
}
