package dev.sluice.cli;

import dev.sluice.proxy.accounting.CallObserver;
import dev.sluice.proxy.accounting.CallRecord;
import dev.sluice.proxy.response.Outcome;

import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.LongAdder;

/// Accounts for every call of the demo: which streams the killed replica took with it, which ones a
/// scaling cut (there must be none), and which failed for no reason that the demo made.
///
/// Calls end on event loops; everything here is atomic.
final class DemoLedger implements CallObserver {
    /// Streams die with their replica at once; later failures at its address have other reasons.
    private static final long KILL_NANOS = 5_000_000_000L;

    private final LongAdder good = new LongAdder();
    private final LongAdder retried = new LongAdder();
    private final LongAdder lostToKill = new LongAdder();
    private final LongAdder cutByScaling = new LongAdder();
    private final Queue<String> unexplained = new ConcurrentLinkedQueue<>();
    private final Map<String, Long> killedAt = new ConcurrentHashMap<>();
    private final Set<String> leaving = ConcurrentHashMap.newKeySet();

    /// This endpoint is being killed now.
    void killing(String endpoint) {
        killedAt.put(endpoint, System.nanoTime());
    }

    /// This endpoint is drained because of a scaling.
    void draining(String endpoint) {
        leaving.add(endpoint);
    }

    @Override
    public void ended(CallRecord call) {
        if (call.attempts().size() > 1) {
            retried.increment();
        }
        switch (call.outcome()) {
            case Outcome.Completed done when done.status() < 500 -> good.increment();
            case Outcome.Completed done -> unexplained.add(at(call) + ": status " + done.status());
            case Outcome.Broken broken -> broken(call, broken);
            case Outcome.Failed failed ->
                    unexplained.add(at(call) + ": " + failed.refusal().message());
            case Outcome.Rejected _, Outcome.Cancelled _ -> {}
        }
    }

    long good() {
        return good.sum();
    }

    /// Calls that a second endpoint answered after a first failed: what their clients never saw.
    long retried() {
        return retried.sum();
    }

    long lostToKill() {
        return lostToKill.sum();
    }

    long cutByScaling() {
        return cutByScaling.sum();
    }

    List<String> unexplained() {
        return List.copyOf(unexplained);
    }

    private void broken(CallRecord call, Outcome.Broken broken) {
        CallRecord.Attempt last = call.attempts().getLast();
        Long killed = killedAt.get(last.endpoint());
        if (killed != null && System.nanoTime() - killed < KILL_NANOS) {
            lostToKill.increment();
        } else if (leaving.contains(last.endpoint())) {
            cutByScaling.increment();
        } else {
            unexplained.add(at(call) + ": " + broken.result());
        }
    }

    private static String at(CallRecord call) {
        return call.attempts().isEmpty()
                ? call.request().id()
                : call.request().id() + " at " + call.attempts().getLast().endpoint();
    }
}
