package dev.sluice.proxy.request;

import org.jspecify.annotations.Nullable;

/// What Sluice needs to know of a call to place it. The body itself stays opaque bytes.
///
/// @param id the request id: the client's `x-request-id`, or made here
/// @param api by path
/// @param model as the client wrote it, aliases resolved; empty when the call names none
/// @param stream whether the client asked for server-sent events
/// @param promptBytes size of the body, from which prompt tokens are estimated
/// @param maxTokens the client's bound on output tokens; 0 when it gave none
/// @param tenant the caller's name; empty without keys
/// @param affinity what the session policy hashes: header, `prompt_cache_key` or `user`
public record InferenceRequest(
        String id,
        Api api,
        String model,
        boolean stream,
        long promptBytes,
        int maxTokens,
        String tenant,
        @Nullable String affinity) {

    /// A call as its body says, once the model is resolved. What explains a call reads it as the
    /// call itself does.
    ///
    /// @param bytes size of the body
    public static InferenceRequest of(
            String id, Api api, String model, JsonScan scan, long bytes, String tenant) {
        return new InferenceRequest(
                id, api, model, scan.stream(), bytes, scan.maxTokens(), tenant, scan.affinity());
    }
}
