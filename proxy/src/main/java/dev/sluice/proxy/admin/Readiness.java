package dev.sluice.proxy.admin;

import dev.sluice.proxy.accounting.PoolView;
import dev.sluice.proxy.pool.Snapshot;

import java.util.List;

/// Whether new calls should be sent to this proxy. Ready, unless it drains, or every pool has
/// endpoints and none of them may be picked or tried: an endpoint that calls have put out of
/// rotation comes back by a call, which a proxy that left its Service would never get. A pool
/// without any endpoint does not count against it: its queue holds calls for the first replica, and
/// a proxy that left its Service then would never get the call that wakes one.
///
/// @param reason one sentence for the probe's answer
record Readiness(boolean ready, String reason) {

    static Readiness of(boolean draining, List<PoolView> pools) {
        if (draining) {
            return new Readiness(false, "draining: finishing what runs, accepting nothing new");
        }
        int usable = 0;
        int trials = 0;
        int endpoints = 0;
        for (PoolView view : pools) {
            Snapshot snapshot = view.pool().snapshot();
            if (snapshot.members().isEmpty()) {
                return new Readiness(
                        true, "pool " + view.pool().name() + " holds calls for its first endpoint");
            }
            endpoints += snapshot.members().size();
            usable += snapshot.usable().size();
            trials += snapshot.trials().size();
        }
        String reason = usable + " of " + endpoints + " endpoints usable";
        return new Readiness(
                usable + trials > 0,
                trials == 0 ? reason : reason + ", " + trials + " waiting for a trial call");
    }
}
