package dev.sluice.proxy.http;

/// Bytes that break the rules, and the status that says so. The connection is closed after it.
public record Violation(int status, String message) {
    /// In place of a status: what came names another protocol, to which no status can be told.
    public static final int NOT_HTTP = 0;

    static Violation bad(String message) {
        return new Violation(400, message);
    }
}
