package dev.sluice.proxy.response;

import java.util.ArrayDeque;

/// The arrays in which the responses of one event loop keep their last bytes, used again and again:
/// new ones were four fifths of all that a call allocated. Used on that loop only.
public final class Tails {
    static final int LENGTH = 1024;

    private static final int MOST_KEPT = 1024;

    private final ArrayDeque<byte[]> free = new ArrayDeque<>();

    byte[] take() {
        byte[] kept = free.pollLast();
        return kept == null ? new byte[LENGTH] : kept;
    }

    void give(byte[] array) {
        if (free.size() < MOST_KEPT) {
            free.addLast(array);
        }
    }
}
