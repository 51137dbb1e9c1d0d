package dev.sluice.proxy.call;

import com.fasterxml.jackson.databind.json.JsonMapper;

import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.routing.Router;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/// `/v1/models`: what the pools serve now, in OpenAI's shape.
sealed interface Models {
    record Document(String json) implements Models {}

    record Unknown(Refusal refusal) implements Models {}

    private static JsonMapper json() {
        return Holder.JSON;
    }

    /// @param path `/v1/models`, or with a model's name behind it
    static Models answer(String path, Router router, long nowMillis) {
        Set<String> models = router.models();
        if (path.equals("/v1/models")) {
            var list = json().createObjectNode().put("object", "list");
            var entries = list.putArray("data");
            models.forEach(model -> entries.add(entry(model, nowMillis)));
            return new Document(list.toString());
        }
        String name = decoded(path.substring("/v1/models/".length()));
        if (models.contains(name)) {
            return new Document(entry(name, nowMillis).toString());
        }
        return new Unknown(
                Refusal.invalid(
                        404,
                        "model_not_found",
                        "No healthy endpoint serves model \""
                                + name
                                + "\"; served now: "
                                + (models.isEmpty() ? "none" : String.join(", ", models))
                                + ".",
                        "model"));
    }

    /// What cannot be decoded is a name like any other, that nobody serves.
    private static String decoded(String name) {
        try {
            return URLDecoder.decode(name.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return name;
        }
    }

    private static com.fasterxml.jackson.databind.node.ObjectNode entry(
            String model, long nowMillis) {
        return json().createObjectNode()
                .put("id", model)
                .put("object", "model")
                .put("created", nowMillis / 1000)
                .put("owned_by", "sluice");
    }

    /// Keeps the mapper out of the interface.
    final class Holder {
        private static final JsonMapper JSON = JsonMapper.builder().build();

        private Holder() {}
    }
}
