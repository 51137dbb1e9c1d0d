package dev.sluice.proxy.routing;

import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Policy;
import dev.sluice.proxy.pool.Snapshot;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.routing.Choice.Chosen;
import dev.sluice.proxy.routing.Choice.None;
import dev.sluice.proxy.routing.Choice.Why;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// `round_robin`: each in turn, by one counter that all event loops share, so that the counts are
/// exact over whole rounds. Who cannot be picked passes its turn to the next.
record RoundRobin(AtomicInteger turn) implements Picker {

    @Override
    public Choice pick(
            Snapshot snapshot, InferenceRequest request, List<Endpoint> tried, long nowNanos) {
        List<Member> usable = snapshot.usable();
        int n = usable.size();
        int start = n == 0 ? 0 : Integer.remainderUnsigned(turn.getAndIncrement(), n);
        for (int i = 0; i < n; i++) {
            Member member = usable.get((start + i) % n);
            if (Candidates.accepts(snapshot, member, request.model(), tried, nowNanos)) {
                return new Chosen(member, Policy.ROUND_ROBIN, Why.TURN, 0, n);
            }
        }
        return new None(Candidates.because(snapshot, request.model(), tried));
    }
}
