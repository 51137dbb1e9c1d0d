package dev.sluice.simulator.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.simulator.replica.Replica;
import dev.sluice.simulator.replica.ReplicaModel;
import dev.sluice.simulator.replica.Sequence;

import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

class FastReplicaTest {
    private static final ReplicaModel MID = profile("mid");
    private final Map<Integer, Double> first = new TreeMap<>();
    private final Map<Integer, Double> done = new TreeMap<>();

    private final FastReplica.Sink sink =
            new FastReplica.Sink() {
                @Override
                public void firstToken(int call, double ms) {
                    first.put(call, ms);
                }

                @Override
                public void done(int call, double ms) {
                    done.put(call, ms);
                }
            };

    @Test
    void aLoneCallTakesItsPrefillAndItsTokens() {
        var replica = warm();
        replica.submit(0, 4000, 101, List.of(), 0);
        drain(replica);
        assertThat(first.get(0)).isCloseTo(1005, within(0.01)); // 5 ms + 4,000 ÷ 4,000 a second
        assertThat(done.get(0)).isCloseTo(1005 + 100 * 20.5, within(0.01));
    }

    @Test
    void aFullBatchDecodesAtItsItl() {
        var replica = warm();
        for (int i = 0; i < 32; i++) {
            replica.submit(i, 1, 1_000, List.of(), 0);
        }
        drain(replica);
        double begin = first.get(31);
        double tokens = (done.get(31) - begin) / 999;
        assertThat(tokens).isCloseTo(36, within(0.1)); // 20 + 0.5 × 32
    }

    @Test
    void decodingSlowsDownWhileAPromptIsRead() {
        var replica = warm();
        replica.submit(0, 1, 1001, List.of(), 0);
        replica.submit(1, 40_000, 1, List.of(), 0);
        drain(replica);
        // 10 s of reading leave 3 s of decoding, so 7 s are lost.
        assertThat(done.get(0) - first.get(0)).isCloseTo(1000 * 20.5 + 7_000, within(10.0));
    }

    @Test
    void promptsQueueAsInAnMD1Queue() {
        var replica = warm();
        var random = new SplittableRandom(7);
        double at = 0;
        double[] arrival = new double[20_000];
        for (int i = 0; i < arrival.length; i++) {
            at += -210 * Math.log(1 - random.nextDouble());
            arrival[i] = at;
            feed(replica, at);
            replica.submit(i, 400, 1, List.of(), at); // 105 ms: half of the time
        }
        drain(replica);
        double wait = 0;
        for (int i = 0; i < arrival.length; i++) {
            wait += (first.get(i) - arrival[i] - 105) / arrival.length;
        }
        assertThat(wait).isCloseTo(105 * 0.5 / (2 * 0.5), Percentage.withPercentage(5));
    }

    @Test
    void agreesWithTheExactModel() {
        int n = 1_500;
        var random = new SplittableRandom(3);
        double[] at = new double[n];
        int[] prompt = new int[n];
        int[] output = new int[n];
        double now = 0;
        for (int i = 0; i < n; i++) {
            now += -350 * Math.log(1 - random.nextDouble());
            at[i] = now;
            prompt[i] = random.nextInt(50, 1500);
            output[i] = random.nextInt(2, 250);
        }
        var fast = warm();
        double[] exactFirst = new double[n];
        double[] exactDone = new double[n];
        var exact = new Replica(MID, 0);
        for (int i = 0; i < n; i++) {
            feed(fast, at[i]);
            fast.submit(i, prompt[i], output[i], List.of(), at[i]);
            int call = i;
            var sequence =
                    new Sequence(
                            prompt[i],
                            output[i],
                            new long[0],
                            new Sequence.Sink() {
                                @Override
                                public void started(Sequence s, long nanos) {}

                                @Override
                                public void token(Sequence s, long nanos) {
                                    if (s.generated() == 1) {
                                        exactFirst[call] = nanos / 1e6;
                                    }
                                    exactDone[call] = nanos / 1e6;
                                }
                            });
            exact.submit(sequence, (long) (at[i] * 1e6));
        }
        exact.advance((long) 1e15);
        drain(fast);
        double[] ttft = new double[2];
        double[] whole = new double[2];
        for (int i = 0; i < n; i++) {
            ttft[0] += (first.get(i) - at[i]) / n;
            ttft[1] += (exactFirst[i] - at[i]) / n;
            whole[0] += (done.get(i) - at[i]) / n;
            whole[1] += (exactDone[i] - at[i]) / n;
        }
        assertThat(ttft[0]).isCloseTo(ttft[1], Percentage.withPercentage(2));
        assertThat(whole[0]).isCloseTo(whole[1], Percentage.withPercentage(4));
    }

    @Test
    void whatWasReadBeforeIsNotReadAgain() {
        var replica = warm();
        List<Long> blocks = List.of(1L, 2L, 3L, 4L);
        replica.submit(0, 2048, 1, blocks, 0);
        drain(replica);
        double again = done.get(0) + 1;
        replica.submit(1, 2048, 1, blocks, again);
        drain(replica);
        assertThat(first.get(0)).isCloseTo(5 + 512, Offset.offset(0.1));
        assertThat(first.get(1) - again).isCloseTo(5 + 128, Offset.offset(0.1));
    }

    @Test
    void fullMemorySendsTheNewestBackAndEveryCallEnds() {
        var replica = new FastReplica(MID.withKvBlocks(100), 0, sink); // 1,600 tokens
        for (int i = 0; i < 8; i++) {
            replica.submit(i, 150, 400, List.of(), 0);
        }
        drain(replica);
        assertThat(done).hasSize(8);
        assertThat(replica.running()).isZero();
    }

    /// Past its first 20 calls, at time 0.
    private FastReplica warm() {
        var replica = new FastReplica(MID, -1e6, sink);
        for (int i = 0; i < 20; i++) {
            replica.submit(i, 1, 1, List.of(), -1e6 + i * 1000);
            drain(replica);
        }
        first.clear();
        done.clear();
        return replica;
    }

    private static void feed(FastReplica replica, double untilMs) {
        while (replica.nextMs() <= untilMs) {
            replica.step();
        }
    }

    private static void drain(FastReplica replica) {
        feed(replica, Double.MAX_VALUE);
    }

    private static ReplicaModel profile(String name) {
        ReplicaModel model = ReplicaModel.PROFILES.get(name);
        if (model == null) {
            throw new IllegalStateException(
                    Arrays.toString(ReplicaModel.PROFILES.keySet().toArray()));
        }
        return model;
    }
}
