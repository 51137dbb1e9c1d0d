package dev.sluice.proxy.call;

import dev.sluice.proxy.http.Field;
import dev.sluice.proxy.http.RequestHead;

import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/// The id of a call: the client's own, if it is one that can stand in a log line, else made here.
final class RequestId {
    private static final int MAX_LENGTH = 128;

    private RequestId() {}

    static String of(RequestHead head) {
        String given = head.fields().value(Field.REQUEST_ID);
        return given != null && usable(given) ? given : make();
    }

    /// An id for a span of a trace: 16 hexadecimal digits, not all 0.
    static String span() {
        long id = ThreadLocalRandom.current().nextLong();
        return HexFormat.of().toHexDigits(id == 0 ? 1 : id);
    }

    private static boolean usable(String id) {
        if (id.isEmpty() || id.length() > MAX_LENGTH) {
            return false;
        }
        for (int i = 0; i < id.length(); i++) {
            char c = id.charAt(i);
            if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\') {
                return false;
            }
        }
        return true;
    }

    private static String make() {
        var random = ThreadLocalRandom.current();
        HexFormat hex = HexFormat.of();
        return "req_" + hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextInt());
    }
}
