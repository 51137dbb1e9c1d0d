package dev.sluice.shared;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// The JSON of admin ports and of what the two programs tell each other: records in snake_case.
public final class AdminJson {
    private static final JsonMapper MAPPER =
            JsonMapper.builder()
                    .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                    .build();
    private static final ObjectReader LENIENT =
            MAPPER.reader().without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    private static final ObjectReader STRICT =
            MAPPER.reader().with(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    private static final ObjectWriter WRITER = MAPPER.writer();

    private AdminJson() {}

    /// On one line.
    public static byte[] bytes(Object value) {
        try {
            return WRITER.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot be written as JSON: " + value.getClass(), e);
        }
    }

    /// What another Sluice program answered; fields that this one does not know are passed over.
    ///
    /// @throws IOException when it is not JSON of this shape
    public static <T> T answer(byte[] json, Class<T> type) throws IOException {
        T value = LENIENT.forType(type).readValue(json);
        if (value == null) {
            throw new IOException("expected an object, found null");
        }
        return value;
    }

    static <T> T read(String json, Class<T> type, boolean strict) {
        if (json.isBlank()) {
            throw refuse(null, "the request has no body", "send a JSON object");
        }
        try {
            T value = (strict ? STRICT : LENIENT).forType(type).readValue(json);
            if (value == null) {
                throw refuse(null, "the body is null", "send a JSON object");
            }
            return value;
        } catch (UnrecognizedPropertyException e) {
            Set<String> known =
                    e.getKnownPropertyIds().stream()
                            .map(Object::toString)
                            .collect(Collectors.toCollection(TreeSet::new));
            String name = e.getPropertyName();
            throw refuse(field(e), "unknown field", ConfigNode.suggest(name, known));
        } catch (JsonMappingException e) {
            throw refuse(field(e), "has the wrong type or is missing", brief(e));
        } catch (JsonProcessingException e) {
            throw refuse(
                    null,
                    "the body is not JSON: " + e.getOriginalMessage(),
                    "see line " + e.getLocation().getLineNr());
        }
    }

    private static AdminRefusal refuse(@Nullable String field, String message, String fix) {
        return new AdminRefusal(AdminAnswer.badRequest(field, message, fix));
    }

    /// `pools[0].url`.
    private static String field(JsonMappingException e) {
        var out = new StringBuilder();
        for (JsonMappingException.Reference step : e.getPath()) {
            if (step.getFieldName() == null) {
                out.append('[').append(step.getIndex()).append(']');
            } else {
                out.append(out.isEmpty() ? "" : ".").append(step.getFieldName());
            }
        }
        return out.toString();
    }

    /// Jackson's sentence without the names of classes.
    private static String brief(JsonMappingException e) {
        String text = e.getOriginalMessage();
        int at = text.indexOf(':');
        String tail = at < 0 ? text : text.substring(at + 1).strip();
        return tail.replaceAll("`?(java|dev|com)\\.[\\w.$<>]+`?", "value");
    }
}
