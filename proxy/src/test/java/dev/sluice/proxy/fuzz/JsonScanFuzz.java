package dev.sluice.proxy.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;

import dev.sluice.proxy.request.JsonScan;
import dev.sluice.proxy.request.Refusal;

import io.netty.buffer.Unpooled;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/// What the scan says of a body is what Jackson says of it, or the scan refuses the body.
class JsonScanFuzz {
    private static final List<String> BOUNDS =
            List.of("max_tokens", "max_completion_tokens", "max_output_tokens");

    private final ObjectReader strict = reader(true);
    private final ObjectReader lenient = reader(false);

    private static ObjectReader reader(boolean refuseDuplicates) {
        var factory =
                JsonFactory.builder()
                        .streamReadConstraints(
                                StreamReadConstraints.builder().maxNumberLength(1 << 20).build())
                        .configure(StreamReadFeature.STRICT_DUPLICATE_DETECTION, refuseDuplicates)
                        .build();
        return JsonMapper.builder(factory)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .build()
                .readerFor(JsonNode.class);
    }

    @FuzzTest(maxDuration = "60s")
    void readsWhatJacksonReads(byte[] data) throws IOException {
        var scan = new JsonScan();
        scan.read(Unpooled.wrappedBuffer(data));
        Refusal refusal = scan.finish();
        inParts(data, scan, refusal);
        String text = text(data);
        if (refusal != null || text == null || surrogates(text)) {
            return;
        }
        JsonNode json = lenient.readValue(text);
        assertThat(json.isObject()).isTrue();
        assertThat(scan.model()).isEqualTo(json.path("model").textValue());
        if (scan.model() != null) {
            String quoted =
                    new String(
                            data,
                            (int) scan.modelStart(),
                            (int) (scan.modelEnd() - scan.modelStart()),
                            StandardCharsets.UTF_8);
            assertThat(lenient.readValue(quoted, JsonNode.class)).isEqualTo(json.path("model"));
        }
        if (withoutDuplicates(text)) {
            assertThat(scan.stream()).isEqualTo(json.path("stream").booleanValue());
            if (BOUNDS.stream().filter(json::has).count() == 1) {
                JsonNode bound = json.get(BOUNDS.stream().filter(json::has).findFirst().get());
                long value =
                        bound.isIntegralNumber() && bound.canConvertToInt() ? bound.intValue() : 0;
                assertThat(scan.maxTokens())
                        .isEqualTo(value > 0 && value < 1_000_000_000 ? (int) value : 0);
            }
        }
    }

    private static void inParts(byte[] data, JsonScan whole, Refusal refusal) {
        var scan = new JsonScan();
        int start = 0;
        for (int end : Splits.of(data)) {
            scan.read(Unpooled.wrappedBuffer(data, start, end - start));
            start = end;
        }
        assertThat(scan.finish()).isEqualTo(refusal);
        assertThat(scan.model()).isEqualTo(whole.model());
        assertThat(scan.stream()).isEqualTo(whole.stream());
        assertThat(scan.maxTokens()).isEqualTo(whole.maxTokens());
        assertThat(scan.affinity()).isEqualTo(whole.affinity());
    }

    /// Half a pair is well-formed by RFC 8259 and refused by Jackson; a pair is kept apart from
    /// every name that Sluice knows.
    private static boolean surrogates(String text) {
        return text.toLowerCase(Locale.ROOT).contains("\\ud");
    }

    private boolean withoutDuplicates(String text) {
        try {
            strict.readValue(text);
            return true;
        } catch (JsonProcessingException e) {
            return false;
        }
    }

    /// Null if it is no UTF-8, which the scan leaves to the engine.
    private static String text(byte[] data) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(data)).toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }
}
