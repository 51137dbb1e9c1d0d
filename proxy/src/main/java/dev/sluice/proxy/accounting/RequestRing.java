package dev.sluice.proxy.accounting;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Predicate;

/// The last calls, for those who ask why. Bounded; a record is written into the place of the oldest
/// one, on any thread; reading walks back from the newest.
public final class RequestRing implements CallObserver {
    private final AtomicReferenceArray<@Nullable StoredCall> places;
    private final AtomicLong next = new AtomicLong();

    public RequestRing(int size) {
        this.places = new AtomicReferenceArray<>(size);
    }

    @Override
    public void ended(CallRecord call) {
        int i = (int) (next.getAndIncrement() % places.length());
        StoredCall place = places.getAcquire(i);
        if (place == null) {
            place = new StoredCall();
            places.setRelease(i, place);
        }
        place.write(call);
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
        long oldest = Math.max(0, newest - places.length() + 1);
        for (long i = newest; i >= oldest && out.size() < limit; i--) {
            StoredCall place = places.getAcquire((int) (i % places.length()));
            CallRecord call = place == null ? null : place.read();
            if (call != null && wanted.test(call)) {
                out.add(call);
            }
        }
        return out;
    }
}
