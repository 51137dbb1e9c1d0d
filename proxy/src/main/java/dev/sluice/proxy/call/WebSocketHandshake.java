package dev.sluice.proxy.call;

import dev.sluice.proxy.http.Field;
import dev.sluice.proxy.http.Fields;
import dev.sluice.proxy.http.RequestHead;
import dev.sluice.proxy.request.Refusal;

import org.jspecify.annotations.Nullable;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/// What a client's opening handshake (RFC 6455, section 4.1) asks for. Pure.
final class WebSocketHandshake {
    private static final String MODEL = "model=";

    private WebSocketHandshake() {}

    /// Why the handshake cannot go to any engine, or null.
    static @Nullable Refusal problem(RequestHead head) {
        Fields fields = head.fields();
        if (!head.method().equals("GET")) {
            return Refusals.webSocket(400, "the method is " + head.method() + ", not GET");
        }
        if (!head.http11()) {
            return Refusals.webSocket(400, "it needs HTTP/1.1");
        }
        if (!"websocket".equalsIgnoreCase(fields.value(Field.UPGRADE))) {
            return Refusals.webSocket(400, "Upgrade is not exactly websocket");
        }
        if (!connectionUpgrade(fields)) {
            return Refusals.webSocket(400, "Connection does not name Upgrade");
        }
        if (!"13".equals(fields.value("sec-websocket-version"))) {
            return Refusals.webSocket(426, "Sec-WebSocket-Version is not 13");
        }
        String key = fields.value("sec-websocket-key");
        if (key == null || key.length() != 24 || !key.endsWith("==")) {
            return Refusals.webSocket(400, "Sec-WebSocket-Key is not 16 bytes in base64");
        }
        return null;
    }

    private static boolean connectionUpgrade(Fields fields) {
        for (int i = 0; i < fields.count(); i++) {
            if (fields.kind(i) == Field.UPGRADE) {
                return fields.nominated(i);
            }
        }
        return false;
    }

    /// The model that the query names; empty when it names none.
    static String model(String query) {
        for (String parameter : query.split("&")) {
            if (parameter.startsWith(MODEL)) {
                return decoded(parameter.substring(MODEL.length()));
            }
        }
        return "";
    }

    /// The same query for another model.
    static String withModel(String query, String model) {
        String[] parameters = query.split("&");
        for (int i = 0; i < parameters.length; i++) {
            if (parameters[i].startsWith(MODEL)) {
                parameters[i] = MODEL + URLEncoder.encode(model, StandardCharsets.UTF_8);
            }
        }
        return String.join("&", parameters);
    }

    /// What cannot be decoded is a name like any other, that nobody serves.
    private static String decoded(String name) {
        try {
            return URLDecoder.decode(name, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return name;
        }
    }
}
