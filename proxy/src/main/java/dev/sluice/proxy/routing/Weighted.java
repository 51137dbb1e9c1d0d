package dev.sluice.proxy.routing;

import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Policy;
import dev.sluice.proxy.pool.Snapshot;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.routing.Choice.Chosen;
import dev.sluice.proxy.routing.Choice.None;
import dev.sluice.proxy.routing.Choice.Why;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// `weighted`: smooth weighted round robin, exact counts in each cycle.
///
/// The algorithm is nginx's (Igor Sysoev, Maxim Dounin, 2012): each turn every endpoint gains its
/// weight, the richest is picked and pays the sum of all; so 5:1:1 gives a a b a c a a, never five
/// in a burst. Its state would need a lock, so the whole cycle is worked out once for each set of
/// weights, and a shared counter walks through it. Whole weights give a cycle as long as their sum;
/// others (slow start, live weights, degraded endpoints) one of {@value #TURNS} turns.
final class Weighted implements Picker {
    static final int TURNS = 256;
    private static final int LONGEST = 4_096;

    private final AtomicInteger turn = new AtomicInteger();
    private volatile Cycle cycle = new Cycle(List.of(), new double[0], new int[0]);

    /// Whether the cycle belongs to this very list is a question of identity, asked for each call.
    @Override
    @SuppressWarnings("ReferenceEquality")
    public Choice pick(
            Snapshot snapshot, InferenceRequest request, List<Endpoint> tried, long nowNanos) {
        List<Member> usable = snapshot.usable();
        Cycle now = cycle;
        if (now.of != usable) {
            now = now.follow(usable);
            cycle = now;
        }
        int n = now.order.length;
        int start = n == 0 ? 0 : Integer.remainderUnsigned(turn.getAndIncrement(), n);
        for (int i = 0; i < n; i++) {
            Member member = usable.get(now.order[(start + i) % n]);
            if (Candidates.accepts(snapshot, member, request.model(), tried, nowNanos)) {
                return new Chosen(
                        member, Policy.WEIGHTED, Why.WEIGHT, member.weight(), usable.size());
            }
        }
        return new None(Candidates.because(snapshot, request.model(), tried));
    }

    /// The places in `weights` in the order of their turns.
    static int[] order(double[] weights) {
        if (weights.length == 0) {
            return new int[0];
        }
        double sum = Arrays.stream(weights).sum();
        int[] out = new int[turns(weights, sum)];
        double[] credit = new double[weights.length];
        for (int t = 0; t < out.length; t++) {
            int richest = 0;
            for (int i = 0; i < weights.length; i++) {
                credit[i] += weights[i];
                richest = credit[i] > credit[richest] ? i : richest;
            }
            credit[richest] -= sum;
            out[t] = richest;
        }
        return out;
    }

    private static int turns(double[] weights, double sum) {
        long divisor = 0;
        for (double weight : weights) {
            if (weight != Math.rint(weight)) {
                return Math.max(TURNS, weights.length);
            }
            divisor = gcd(divisor, (long) weight);
        }
        return sum / divisor <= LONGEST ? (int) (sum / divisor) : LONGEST;
    }

    private static long gcd(long a, long b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    /// The cycle of one snapshot's usable members. Immutable once shared.
    private static final class Cycle {
        private final List<Member> of;
        private final double[] weights;
        private final int[] order;

        Cycle(List<Member> of, double[] weights, int[] order) {
            this.of = of;
            this.weights = weights;
            this.order = order;
        }

        /// Most snapshots have the weights of the one before.
        Cycle follow(List<Member> usable) {
            double[] next = usable.stream().mapToDouble(Member::weight).toArray();
            return new Cycle(
                    usable, next, Arrays.equals(weights, next) ? order : Weighted.order(next));
        }
    }
}
