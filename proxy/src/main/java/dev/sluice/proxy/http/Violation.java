package dev.sluice.proxy.http;

/// Bytes that break the rules, and the status that says so. The connection is closed after it.
public record Violation(int status, String message) {
    static Violation bad(String message) {
        return new Violation(400, message);
    }
}
