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
import java.util.random.RandomGenerator;

/// `latency`: of two random endpoints the healthier, then the one with the smaller peak-EWMA of
/// TTFT × (load + 1) / W.
///
/// Finagle's balancer (peak EWMA over the power of two choices): the estimate jumps up with a bad
/// sample, so a stalling endpoint loses its traffic at once; choosing of two instead of the best of
/// all keeps every proxy from rushing to the same one. While one of the two has no sample yet, load
/// alone decides: an unknown latency is not zero.
///
/// @param random safe for use by many threads
record Latency(RandomGenerator random) implements Picker {

    @Override
    public Choice pick(
            Snapshot snapshot, InferenceRequest request, List<Endpoint> tried, long nowNanos) {
        List<Member> usable = snapshot.usable();
        int n = usable.size();
        if (n == 0) {
            return new None(Candidates.because(snapshot, request.model(), tried));
        }
        int from = random.nextInt(n);
        int first = next(snapshot, from, n, request.model(), tried, nowNanos);
        if (first < 0) {
            return new None(Candidates.because(snapshot, request.model(), tried));
        }
        Member a = usable.get(first);
        int skip = n == 1 ? 0 : random.nextInt(n - 1);
        int second = next(snapshot, (first + 1 + skip) % n, n, request.model(), tried, nowNanos);
        Member b = usable.get(second < 0 ? first : second);
        Member best = better(a, b, nowNanos) ? a : b;
        return new Chosen(best, Policy.LATENCY, Why.TTFT, best.endpoint().ttftNanos() / 1e9, n);
    }

    /// The first that may be picked, from this place on; -1 for none.
    private static int next(
            Snapshot snapshot, int from, int n, String model, List<Endpoint> tried, long nowNanos) {
        for (int i = 0; i < n; i++) {
            int at = (from + i) % n;
            if (Candidates.accepts(snapshot, snapshot.usable().get(at), model, tried, nowNanos)) {
                return at;
            }
        }
        return -1;
    }

    static boolean better(Member a, Member b, long nowNanos) {
        if (a.use() != b.use()) {
            return a.use().compareTo(b.use()) < 0;
        }
        double ttftA = a.endpoint().ttftNanos();
        double ttftB = b.endpoint().ttftNanos();
        boolean known = ttftA > 0 && ttftB > 0;
        return cost(a, known ? ttftA : 1, nowNanos) <= cost(b, known ? ttftB : 1, nowNanos);
    }

    static double cost(Member member, double ttft, long nowNanos) {
        double load = member.endpoint().load(member.foreign(), nowNanos);
        return ttft * (load + 1) / member.weight();
    }
}
