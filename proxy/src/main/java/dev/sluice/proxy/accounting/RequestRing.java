package dev.sluice.proxy.accounting;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Predicate;

/// The last calls, for those who ask why. Bounded; writing is one counter and one store, on any
/// thread; reading walks back from the newest.
public final class RequestRing implements CallObserver {
    private final AtomicReferenceArray<@Nullable CallRecord> calls;
    private final AtomicLong next = new AtomicLong();

    public RequestRing(int size) {
        this.calls = new AtomicReferenceArray<>(size);
    }

    @Override
    public void ended(CallRecord call) {
        calls.setRelease((int) (next.getAndIncrement() % calls.length()), call);
    }

    /// The newest call of this request id that is still held.
    public @Nullable CallRecord find(String id) {
        List<CallRecord> found = newest(1, call -> call.request().id().equals(id));
        return found.isEmpty() ? null : found.getFirst();
    }

    /// Newest first.
    public List<CallRecord> newest(int limit, Predicate<CallRecord> wanted) {
        var out = new ArrayList<CallRecord>();
        long newest = next.get() - 1;
        long oldest = Math.max(0, newest - calls.length() + 1);
        for (long i = newest; i >= oldest && out.size() < limit; i--) {
            CallRecord call = calls.getAcquire((int) (i % calls.length()));
            if (call != null && wanted.test(call)) {
                out.add(call);
            }
        }
        return out;
    }
}
