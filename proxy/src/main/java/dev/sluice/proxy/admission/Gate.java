package dev.sluice.proxy.admission;

import dev.sluice.proxy.http.Field;
import dev.sluice.proxy.http.Fields;
import dev.sluice.proxy.http.RequestHead;
import dev.sluice.proxy.request.Refusal;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/// Knows the callers by the SHA-256 of their keys. Without keys everybody may enter.
///
/// A key is looked for in `Authorization: Bearer`, `x-api-key` and `api-key`, as the SDKs of
/// OpenAI, Anthropic and Azure send it. Digests are compared in constant time, each of them.
public final class Gate {
    private final List<byte[]> digests = new ArrayList<>();
    private final List<Caller> callers = new ArrayList<>();
    private final Admission anybody = new Admission.Admitted(Caller.anybody());

    public Gate(List<KeyConfig> keys, long nowNanos) {
        this(keys, List.of(), nowNanos);
    }

    private Gate(List<KeyConfig> keys, List<Caller> known, long nowNanos) {
        for (KeyConfig key : keys) {
            digests.add(HexFormat.of().parseHex(key.sha256()));
            callers.add(
                    known.stream()
                            .filter(caller -> key.equals(caller.key()))
                            .findFirst()
                            .orElseGet(() -> new Caller(key, nowNanos)));
        }
    }

    /// A gate for these keys. What callers have used counts on where their entry is unchanged; a
    /// changed entry begins anew.
    public Gate renewed(List<KeyConfig> keys, long nowNanos) {
        return new Gate(keys, callers, nowNanos);
    }

    public Admission admit(RequestHead head, long nowNanos) {
        if (callers.isEmpty()) {
            return anybody;
        }
        String key = key(head.fields());
        if (key == null) {
            return shed(
                    "missing_api_key",
                    "No API key was sent; send it as Authorization: Bearer KEY.");
        }
        Caller caller = find(digest(key));
        if (caller == null) {
            return shed("invalid_api_key", "The API key is not known here.");
        }
        Refusal over = caller.request(nowNanos);
        return over == null ? new Admission.Admitted(caller) : new Admission.Shed(over);
    }

    private @Nullable Caller find(byte[] digest) {
        Caller found = null;
        for (int i = 0; i < callers.size(); i++) {
            if (MessageDigest.isEqual(digests.get(i), digest)) {
                found = callers.get(i);
            }
        }
        return found;
    }

    private static @Nullable String key(Fields fields) {
        String bearer = fields.value(Field.AUTHORIZATION);
        if (bearer != null && bearer.regionMatches(true, 0, "Bearer ", 0, 7)) {
            return bearer.substring(7).strip();
        }
        String key = fields.value(Field.API_KEY);
        return key != null ? key : fields.value(Field.AZURE_API_KEY);
    }

    private static Admission shed(String code, String message) {
        return new Admission.Shed(
                new Refusal(401, "authentication_error", code, message, null, null));
    }

    private static byte[] digest(String key) {
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest(key.getBytes(StandardCharsets.ISO_8859_1));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
