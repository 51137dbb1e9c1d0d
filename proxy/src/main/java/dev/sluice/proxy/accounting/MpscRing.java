package dev.sluice.proxy.accounting;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/// A bounded queue that many threads offer to and one takes from; nobody ever waits.
///
/// A producer claims a place by moving the tail, while the head is less than a ring behind, and
/// then stores; the consumer clears a place before it moves the head past it, so a claimed place is
/// always empty. A slow producer holds back what came after it, never more than that: Vyukov's
/// bounded queue with an empty slot in place of its sequence numbers.
final class MpscRing<T> {
    private final AtomicReferenceArray<@Nullable T> slots;
    private final int mask;
    private final AtomicLong tail = new AtomicLong();
    private final AtomicLong head = new AtomicLong();

    /// @param capacity rounded up to a power of two
    MpscRing(int capacity) {
        int size = Integer.highestOneBit(Math.max(2, capacity) - 1) << 1;
        this.slots = new AtomicReferenceArray<>(size);
        this.mask = size - 1;
    }

    /// Any thread.
    ///
    /// @return false when it is full
    boolean offer(T item) {
        long at = tail.get();
        while (true) {
            if (at - head.getAcquire() > mask) {
                return false;
            }
            if (tail.compareAndSet(at, at + 1)) {
                slots.setRelease((int) at & mask, item);
                return true;
            }
            at = tail.get();
        }
    }

    /// The consumer's thread only.
    ///
    /// @return null when there is nothing
    @Nullable T poll() {
        long at = head.getPlain();
        T item = slots.getAcquire((int) at & mask);
        if (item == null) {
            return null;
        }
        slots.setPlain((int) at & mask, null);
        head.setRelease(at + 1);
        return item;
    }
}
