package dev.sluice.simulator.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

class ReplicaTest {
    /// 1,000 prompt tokens a second + 5 ms; steps of 10 ms + 1 ms for each sequence; 4 slots.
    private static final ReplicaModel MODEL =
            new ReplicaModel(
                    1_000,
                    Duration.ofMillis(5),
                    Duration.ZERO,
                    Duration.ofMillis(10),
                    Duration.ofMillis(1),
                    4,
                    1_000,
                    16_000);

    private final List<Call> calls = new ArrayList<>();
    private Replica replica = new Replica(MODEL, 0);

    @Test
    void readsThePromptAndThenGivesATokenEachStep() {
        Call call = submit(100, 4, 0);
        run();
        assertThat(call.tokenMillis).containsExactly(105.0, 116.0, 127.0, 138.0);
        assertThat(call.sequence.state()).isEqualTo(Sequence.State.FINISHED);
    }

    @Test
    void readsOnePromptAfterTheOther() {
        Call first = submit(100, 1, 0);
        Call second = submit(200, 1, 0);
        run();
        assertThat(first.tokenMillis).containsExactly(105.0);
        assertThat(second.tokenMillis).containsExactly(105.0 + 205.0);
    }

    @Test
    void slowsWithTheSizeOfTheBatch() {
        replica = new Replica(MODEL.withPrefillRate(1e9), 0);
        for (int i = 0; i < 4; i++) {
            submit(1, 200, 0);
        }
        run();
        for (Call call : calls) {
            assertThat(call.tokenMillis.get(150) - call.tokenMillis.get(149))
                    .isCloseTo(10 + 4 * 1, within(0.001));
        }
    }

    @Test
    void decodesAtThreeTenthsWhileAPromptIsRead() {
        Call early = submit(1, 100, 0);
        advanceTo(6 + 11 * 10);
        submit(295, 1, 6 + 11 * 10);
        run();
        int tokensDuringThePrefill =
                (int) early.tokenMillis.stream().filter(t -> t > 116 && t <= 416).count();
        assertThat(tokensDuringThePrefill).isEqualTo((int) (300 * 0.3 / 11));
    }

    @Test
    void keepsCallsBeyondTheSlotsWaitingInOrder() {
        for (int i = 0; i < 6; i++) {
            submit(10, 50, 0);
        }
        advanceTo(100);
        assertThat(replica.running()).isEqualTo(4);
        assertThat(replica.waiting()).isEqualTo(2);
        run();
        assertThat(calls.stream().map(c -> c.tokenMillis.getFirst())).isSorted();
    }

    @Test
    void skipsThePrefillOfACachedPrefix() {
        long[] prefix = LongStream.range(0, 10).toArray();
        Call first = submit(165, 1, 0, prefix);
        Call second = submit(165, 1, 0, prefix);
        Call other = submit(165, 1, 0, LongStream.range(100, 110).toArray());
        run();
        assertThat(first.sequence.cachedTokens()).isZero();
        assertThat(second.sequence.cachedTokens()).isEqualTo(160);
        assertThat(second.tokenMillis.getFirst() - first.tokenMillis.getFirst())
                .isCloseTo(5 + 5, within(0.001));
        assertThat(other.sequence.cachedTokens()).isZero();
        assertThat(replica.kv().hitTokens()).isEqualTo(160);
    }

    @Test
    void computesAtLeastTheLastTokenOfAKnownPrompt() {
        long[] prefix = LongStream.range(0, 10).toArray();
        submit(160, 1, 0, prefix);
        Call again = submit(160, 1, 0, prefix);
        run();
        assertThat(again.sequence.cachedTokens()).isEqualTo(144);
    }

    @Test
    void forgetsTheLeastRecentlyUsedPrefixFirst() {
        replica = new Replica(MODEL.withKvBlocks(20), 0);
        submit(161, 1, 0, LongStream.range(0, 10).toArray());
        run();
        submit(161, 1, 10_000, LongStream.range(100, 110).toArray());
        run();
        Call oldest = submit(161, 1, 20_000, LongStream.range(0, 10).toArray());
        run();
        Call newest = submit(161, 1, 30_000, LongStream.range(0, 10).toArray());
        run();
        assertThat(oldest.sequence.cachedTokens()).isLessThan(160);
        assertThat(newest.sequence.cachedTokens()).isEqualTo(160);
    }

    @Test
    void preemptsTheNewestWhenTheMemoryIsFullAndFinishesAll() {
        replica = new Replica(MODEL.withKvBlocks(20), 0);
        Call first = submit(64, 150, 0);
        Call second = submit(64, 150, 0);
        run();
        assertThat(replica.preemptions()).isPositive();
        assertThat(first.tokenMillis).hasSize(150);
        assertThat(second.tokenMillis).hasSize(150);
        assertThat(first.tokenMillis.getLast()).isLessThan(second.tokenMillis.getLast());
        assertThat(replica.kv().used()).isZero();
    }

    @Test
    void freesSlotAndMemoryTheMomentACallIsAborted() {
        Call call = submit(100, 100, 0);
        advanceTo(200);
        assertThat(replica.kv().usage()).isPositive();
        replica.abort(call.sequence, millis(200));
        assertThat(replica.running()).isZero();
        assertThat(replica.kv().usage()).isZero();
        assertThat(replica.nextEventNanos()).isEqualTo(Replica.NEVER);
    }

    @Test
    void lendsTheSlotOfAnAbortedPrefillToTheNext() {
        Call first = submit(1_000, 1, 0);
        Call second = submit(100, 1, 0);
        advanceTo(50);
        replica.abort(first.sequence, millis(50));
        run();
        assertThat(second.tokenMillis).containsExactly(50.0 + 105.0);
    }

    @Test
    void takesLongerWhenSlowed() {
        replica.slow(8, 0);
        Call call = submit(100, 2, 0);
        run();
        assertThat(call.tokenMillis).containsExactly(105.0 * 8, 105.0 * 8 + 11 * 8);
    }

    @Test
    void addsLatencyWithoutHoldingUpOthers() {
        replica = new Replica(MODEL.withTtft(Duration.ofMillis(200)).withPrefillRate(1e6), 0);
        Call first = submit(1, 1, 0);
        Call second = submit(1, 1, 0);
        run();
        assertThat(first.tokenMillis.getFirst()).isCloseTo(200, within(0.1));
        assertThat(second.tokenMillis.getFirst()).isCloseTo(205, within(0.1));
    }

    @Test
    void refusesWhatNeverFits() {
        replica = new Replica(MODEL.withKvBlocks(10), 0);
        assertThatThrownBy(() -> submit(100, 61, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("161")
                .hasMessageContaining("160");
    }

    @Test
    void endsEveryCallExactlyOnceWhateverHappens() {
        for (int seed = 0; seed < 20; seed++) {
            var random = new SplittableRandom(seed);
            calls.clear();
            replica = new Replica(MODEL.withKvBlocks(60).withPrefillRate(20_000), 0);
            int ended = 0;
            for (int at = 0; at < 200; at++) {
                advanceTo(at * 20L);
                int group = random.nextInt(5);
                long[] prefix = LongStream.range(group * 100L, group * 100L + 10).toArray();
                submit(160 + random.nextInt(100), 1 + random.nextInt(80), at * 20L, prefix);
                if (random.nextInt(4) == 0) {
                    Call victim = calls.get(random.nextInt(calls.size()));
                    replica.abort(victim.sequence, millis(at * 20L));
                }
                assertThat(replica.running()).isLessThanOrEqualTo(4);
                assertThat(replica.kv().used())
                        .isEqualTo(
                                calls.stream()
                                        .flatMap(c -> c.sequence.blocks.stream())
                                        .distinct()
                                        .count());
            }
            run();
            for (Call call : calls) {
                ended += call.sequence.ended() ? 1 : 0;
                if (call.sequence.state() == Sequence.State.FINISHED) {
                    assertThat(call.tokenMillis).hasSize(call.sequence.outputTokens()).isSorted();
                }
            }
            assertThat(ended).isEqualTo(calls.size());
            assertThat(replica.running() + replica.waiting()).isZero();
            assertThat(replica.kv().used()).isZero();
        }
    }

    private static final class Call implements Sequence.Sink {
        private final List<Double> tokenMillis = new ArrayList<>();
        private final Sequence sequence;

        Call(int prompt, int output, long[] prefix) {
            sequence = new Sequence(prompt, output, prefix, this);
        }

        @Override
        public void started(Sequence self, long nowNanos) {
            assertThat(tokenMillis).isEmpty();
        }

        @Override
        public void token(Sequence self, long nowNanos) {
            tokenMillis.add(nowNanos / 1e6);
        }
    }

    private Call submit(int prompt, int output, long atMillis, long... prefix) {
        var call = new Call(prompt, output, prefix);
        calls.add(call);
        replica.submit(call.sequence, millis(atMillis));
        return call;
    }

    private void advanceTo(long atMillis) {
        replica.advance(millis(atMillis));
    }

    private void run() {
        while (replica.nextEventNanos() != Replica.NEVER) {
            replica.advance(replica.nextEventNanos());
        }
    }

    private static long millis(long millis) {
        return millis * 1_000_000;
    }
}
