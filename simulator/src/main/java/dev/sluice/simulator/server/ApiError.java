package dev.sluice.simulator.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.netty.handler.codec.http.HttpResponseStatus;

import org.jspecify.annotations.Nullable;

/// An error as vLLM words it: `{"error": {message, type, param, code}}` with the status as code.
///
/// @param param the request field at fault, if there is one
record ApiError(int status, String message, @Nullable String param) {

    static ApiError badRequest(String message, @Nullable String param) {
        return new ApiError(400, message, param);
    }

    String json() {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ObjectNode error = root.putObject("error");
        error.put("message", message);
        error.put("type", type());
        error.put("param", param);
        error.put("code", status);
        return root.toString();
    }

    private String type() {
        return switch (status) {
            case 400 -> "BadRequestError";
            case 404 -> "NotFoundError";
            case 429 -> "RateLimitError";
            case 500 -> "InternalServerError";
            default -> HttpResponseStatus.valueOf(status).reasonPhrase();
        };
    }
}
