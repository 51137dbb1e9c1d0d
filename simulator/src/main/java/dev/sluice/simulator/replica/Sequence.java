package dev.sluice.simulator.replica;

import java.util.ArrayList;
import java.util.List;

/// One generation in a {@link Replica}: a prompt of known length, and as many output tokens as it
/// will have. Belongs to the thread of its replica.
public final class Sequence {
    private static final long[] NO_PREFIX = {};

    /// Where a sequence is. It ends exactly once, as FINISHED or ABORTED.
    public enum State {
        WAITING,
        PREFILLING,
        /// Read, and waiting for the fixed latency of the first token to pass.
        LATENT,
        DECODING,
        /// Stopped by {@link Replica#hold}: keeps slot and blocks, and makes no progress.
        HELD,
        FINISHED,
        ABORTED
    }

    /// Told what becomes of a sequence, on the thread of the replica. May call back into it.
    public interface Sink {
        /// The prefill began for the first time.
        void started(Sequence sequence, long nowNanos);

        /// One output token exists; with the last one the sequence is FINISHED.
        void token(Sequence sequence, long nowNanos);
    }

    private final int promptTokens;
    private final int outputTokens;
    private final long[] prefix;
    private final Sink sink;

    final List<KvCache.Block> blocks = new ArrayList<>();
    State state = State.WAITING;
    int generated;
    int cachedTokens;
    boolean started;
    long step;
    long dueNanos;

    /// @param prefix chained hashes of the full prompt blocks: equal hashes, equal prompt up to
    ///   there
    public Sequence(int promptTokens, int outputTokens, long[] prefix, Sink sink) {
        if (promptTokens < 1 || outputTokens < 1) {
            throw new IllegalArgumentException("a sequence has at least one token each way");
        }
        this.promptTokens = promptTokens;
        this.outputTokens = outputTokens;
        this.prefix = prefix.length == 0 ? NO_PREFIX : prefix;
        this.sink = sink;
    }

    public int promptTokens() {
        return promptTokens;
    }

    public int outputTokens() {
        return outputTokens;
    }

    /// Output tokens so far.
    public int generated() {
        return generated;
    }

    /// Prompt tokens that the prefix cache had when the prefill first began.
    public int cachedTokens() {
        return cachedTokens;
    }

    public State state() {
        return state;
    }

    public boolean ended() {
        return state == State.FINISHED || state == State.ABORTED;
    }

    long[] prefix() {
        return prefix;
    }

    Sink sink() {
        return sink;
    }

    /// Tokens whose keys and values the next step needs.
    int tokens() {
        return promptTokens + generated;
    }
}
