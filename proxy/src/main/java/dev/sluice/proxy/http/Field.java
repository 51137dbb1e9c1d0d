package dev.sluice.proxy.http;

import java.nio.charset.StandardCharsets;

/// The header fields that Sluice itself acts on; every other one is {@link #OTHER} and passes.
public enum Field {
    OTHER(""),
    HOST("host"),
    CONTENT_LENGTH("content-length"),
    TRANSFER_ENCODING("transfer-encoding"),
    CONNECTION("connection"),
    KEEP_ALIVE("keep-alive"),
    PROXY_CONNECTION("proxy-connection"),
    PROXY_AUTHENTICATE("proxy-authenticate"),
    PROXY_AUTHORIZATION("proxy-authorization"),
    TE("te"),
    TRAILER("trailer"),
    UPGRADE("upgrade"),
    HTTP2_SETTINGS("http2-settings"),
    EXPECT("expect"),
    AUTHORIZATION("authorization"),
    API_KEY("x-api-key"),
    AZURE_API_KEY("api-key"),
    COOKIE("cookie"),
    CONTENT_TYPE("content-type"),
    CONTENT_ENCODING("content-encoding"),
    RETRY_AFTER("retry-after"),
    REQUEST_ID("x-request-id"),
    /// Any `x-sluice-…`.
    SLUICE("x-sluice-"),
    FORWARDED("forwarded"),
    /// Any `x-forwarded-…`.
    X_FORWARDED("x-forwarded-");

    private static final Field[][] BY_LENGTH = new Field[24][0];

    static {
        for (Field field : values()) {
            if (field == OTHER || field == SLUICE || field == X_FORWARDED) {
                continue;
            }
            Field[] old = BY_LENGTH[field.name.length];
            Field[] grown = java.util.Arrays.copyOf(old, old.length + 1);
            grown[old.length] = field;
            BY_LENGTH[field.name.length] = grown;
        }
    }

    @SuppressWarnings("ImmutableEnumChecker") // never written after construction
    private final byte[] name;

    Field(String name) {
        this.name = name.getBytes(StandardCharsets.US_ASCII);
    }

    /// Finds the field by its name in `bytes[start, end)`, in any case.
    static Field of(byte[] bytes, int start, int end) {
        int length = end - start;
        if (length < BY_LENGTH.length) {
            for (Field field : BY_LENGTH[length]) {
                if (startsWith(bytes, start, field.name)) {
                    return field;
                }
            }
        }
        if (length > SLUICE.name.length && (bytes[start] | 0x20) == 'x') {
            if (startsWith(bytes, start, SLUICE.name)) {
                return SLUICE;
            }
            if (length > X_FORWARDED.name.length && startsWith(bytes, start, X_FORWARDED.name)) {
                return X_FORWARDED;
            }
        }
        return OTHER;
    }

    private static boolean startsWith(byte[] bytes, int start, byte[] lower) {
        for (int i = 0; i < lower.length; i++) {
            int c = bytes[start + i];
            if (c >= 'A' && c <= 'Z') {
                c |= 0x20;
            }
            if (c != lower[i]) {
                return false;
            }
        }
        return true;
    }
}
