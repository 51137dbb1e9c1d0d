package dev.sluice.proxy.request;

import dev.sluice.proxy.http.RequestHead;

import org.jspecify.annotations.Nullable;

/// A call's place in a distributed trace, as `traceparent` of W3C Trace Context (level 1) carries
/// it.
///
/// @param traceId 32 hexadecimal digits
/// @param parent span of whoever sent the header, 16 hexadecimal digits; null when the trace begins
///   here
/// @param span the span that this proxy makes; null when it makes none, and the header passes to
///   the engine as it came
/// @param sampled whether the trace is kept
public record TraceContext(
        String traceId, @Nullable String parent, @Nullable String span, boolean sampled) {
    private static final int LENGTH = 55;
    private static final String HEADER = "traceparent";

    /// What the client sent; null without a header, with several, or with one that is malformed.
    public static @Nullable TraceContext incoming(RequestHead head) {
        var fields = head.fields();
        String value = null;
        for (int i = 0; i < fields.count(); i++) {
            if (fields.named(i, HEADER)) {
                if (value != null) {
                    return null;
                }
                value = fields.value(i);
            }
        }
        return value == null ? null : parse(value);
    }

    /// Later versions may add fields behind a dash; version ff is none.
    static @Nullable TraceContext parse(String header) {
        boolean longer = header.length() > LENGTH;
        if (header.length() < LENGTH
                || (longer && (header.startsWith("00") || header.charAt(LENGTH) != '-'))
                || header.startsWith("ff")
                || header.charAt(2) != '-'
                || header.charAt(35) != '-'
                || header.charAt(52) != '-'
                || !hex(header, 0, 2)
                || !hex(header, 53, 55)) {
            return null;
        }
        String trace = header.substring(3, 35);
        String parent = header.substring(36, 52);
        if (!id(trace) || !id(parent)) {
            return null;
        }
        return new TraceContext(
                trace, parent, null, (Character.digit(header.charAt(54), 16) & 1) != 0);
    }

    /// The same with another span below it.
    public TraceContext under(String newSpan) {
        return new TraceContext(traceId, parent, newSpan, sampled);
    }

    /// What an engine gets; only with a span.
    public String header() {
        return "00-" + traceId + "-" + span + (sampled ? "-01" : "-00");
    }

    private static boolean id(String text) {
        return hex(text, 0, text.length()) && !text.chars().allMatch(c -> c == '0');
    }

    private static boolean hex(String text, int start, int end) {
        for (int i = start; i < end; i++) {
            char c = text.charAt(i);
            if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
                return false;
            }
        }
        return true;
    }
}
