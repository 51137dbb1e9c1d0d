package dev.sluice.proxy.routing;

import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Policy;
import dev.sluice.proxy.pool.Snapshot;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.routing.Choice.Chosen;
import dev.sluice.proxy.routing.Choice.None;
import dev.sluice.proxy.routing.Choice.Why;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.random.RandomGenerator;

/// `least_loaded`: the endpoint with the least (load + 1) / W.
///
/// The +1 is the call itself: an idle endpoint of weight 2 comes before an idle one of weight 1.
/// All endpoints are compared up to {@value #FULL_SCAN}; beyond that three random ones, which keeps
/// the longest queue within a constant of the best (Mitzenmacher, The Power of Two Choices, 2001)
/// at a fixed cost. The scan begins at a random place, so ties rotate.
///
/// @param random safe for use by many threads
record LeastLoaded(RandomGenerator random) implements Picker {
    static final int FULL_SCAN = 64;
    static final int SAMPLE = 3;

    @Override
    public Choice pick(
            Snapshot snapshot, InferenceRequest request, List<Endpoint> tried, long nowNanos) {
        List<Member> usable = snapshot.usable();
        int n = usable.size();
        Member best = null;
        double bestScore = Double.POSITIVE_INFINITY;
        double bestLoad = 0;
        int of = 0;
        int looks = n <= FULL_SCAN ? n : SAMPLE;
        int start = n > 1 ? random.nextInt(n) : 0;
        for (int i = 0; i < n && (i < looks || best == null); i++) {
            Member member =
                    usable.get(n > FULL_SCAN && i < SAMPLE ? random.nextInt(n) : (start + i) % n);
            if (!Candidates.accepts(snapshot, member, request.model(), tried, nowNanos)) {
                continue;
            }
            of++;
            double load = member.endpoint().load(member.foreign(), nowNanos);
            double score = score(load, member);
            if (score < bestScore) {
                best = member;
                bestScore = score;
                bestLoad = load;
            }
        }
        return chosen(best, bestLoad, of, snapshot, request.model(), tried);
    }

    static double score(double load, Member member) {
        return (load + 1) / member.weight();
    }

    private static Choice chosen(
            @Nullable Member best,
            double load,
            int of,
            Snapshot snapshot,
            String model,
            List<Endpoint> tried) {
        return best == null
                ? new None(Candidates.because(snapshot, model, tried))
                : new Chosen(best, Policy.LEAST_LOADED, Why.LOAD, load, of);
    }
}
