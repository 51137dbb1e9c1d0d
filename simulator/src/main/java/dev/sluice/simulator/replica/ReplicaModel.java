package dev.sluice.simulator.replica;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// How fast a replica is and how much fits into it.
///
/// A lone call with an uncached prompt of p tokens sees its first token after `overhead + latency +
/// p / prefillTokensPerSecond` and then one token each `itlBase + itlPerSequence`.
///
/// @param prefillTokensPerSecond prompt tokens that the engine reads per second; one prompt at a
///   time
/// @param overhead what every prefill costs besides its tokens; occupies the prefill
/// @param latency delay of the first token that occupies nothing: other prompts are read meanwhile
/// @param itlBase step time of the decode without any sequence
/// @param itlPerSequence what each sequence of the batch adds to the step time
/// @param slots the most sequences that run at once
/// @param kvBlocks blocks of {@link KvCache#BLOCK_TOKENS} tokens
/// @param contextTokens the most tokens of one sequence, prompt and output
public record ReplicaModel(
        double prefillTokensPerSecond,
        Duration overhead,
        Duration latency,
        Duration itlBase,
        Duration itlPerSequence,
        int slots,
        int kvBlocks,
        int contextTokens) {

    /// Speed of the decode while a prefill runs, as a share of its speed alone.
    public static final double DECODE_SHARE_DURING_PREFILL = 0.3;

    private static final Duration OVERHEAD = Duration.ofMillis(5);
    private static final int CONTEXT = 131_072;

    /// The known engines by name. KV sizes are what is left on the cards beside the weights: an 8B
    /// model on 24 GB, a middling card with room for one full context, a 70B model on 8 × 80 GB.
    public static final Map<String, ReplicaModel> PROFILES = profiles();

    public ReplicaModel {
        if (slots < 1 || kvBlocks < 1 || !(prefillTokensPerSecond > 0)) {
            throw new IllegalArgumentException(
                    "slots, kv blocks and prefill rate must be above zero");
        }
        contextTokens = (int) Math.min(contextTokens, (long) kvBlocks * KvCache.BLOCK_TOKENS);
    }

    /// The same replica whose lone calls with a short prompt see their first token after `ttft`.
    public ReplicaModel withTtft(Duration ttft) {
        Duration serial = ttft.compareTo(OVERHEAD) < 0 ? ttft : OVERHEAD;
        return new ReplicaModel(
                prefillTokensPerSecond,
                serial,
                ttft.minus(serial),
                itlBase,
                itlPerSequence,
                slots,
                kvBlocks,
                contextTokens);
    }

    /// The same replica whose lone calls see one token each `itl`; the slow-down by the batch keeps
    /// its proportion.
    public ReplicaModel withItl(Duration itl) {
        double alone = itlBase.plus(itlPerSequence).toNanos();
        Duration perSequence =
                Duration.ofNanos(Math.round(itl.toNanos() * itlPerSequence.toNanos() / alone));
        return withItl(itl.minus(perSequence), perSequence);
    }

    public ReplicaModel withItl(Duration base, Duration perSequence) {
        return new ReplicaModel(
                prefillTokensPerSecond,
                overhead,
                latency,
                base,
                perSequence,
                slots,
                kvBlocks,
                contextTokens);
    }

    public ReplicaModel withPrefillRate(double tokensPerSecond) {
        return new ReplicaModel(
                tokensPerSecond,
                overhead,
                latency,
                itlBase,
                itlPerSequence,
                slots,
                kvBlocks,
                contextTokens);
    }

    public ReplicaModel withSlots(int count) {
        return new ReplicaModel(
                prefillTokensPerSecond,
                overhead,
                latency,
                itlBase,
                itlPerSequence,
                count,
                kvBlocks,
                contextTokens);
    }

    public ReplicaModel withKvBlocks(int blocks) {
        return new ReplicaModel(
                prefillTokensPerSecond,
                overhead,
                latency,
                itlBase,
                itlPerSequence,
                slots,
                blocks,
                CONTEXT);
    }

    public ReplicaModel withContextTokens(int tokens) {
        return new ReplicaModel(
                prefillTokensPerSecond,
                overhead,
                latency,
                itlBase,
                itlPerSequence,
                slots,
                kvBlocks,
                tokens);
    }

    /// Work of one prefill in nanoseconds.
    double prefillNanos(int tokens) {
        return overhead.toNanos() + tokens / prefillTokensPerSecond * 1e9;
    }

    /// Work of one decode step of `n` sequences in nanoseconds.
    double stepNanos(int n) {
        return itlBase.toNanos() + (double) itlPerSequence.toNanos() * n;
    }

    private static Map<String, ReplicaModel> profiles() {
        var out = new LinkedHashMap<String, ReplicaModel>();
        out.put("l4", of(2_000, 55_000, 600, 16, 2_560));
        out.put("mid", of(4_000, 20_000, 500, 32, 8_192));
        out.put("h100x8-70b", of(10_000, 29_500, 320, 64, 81_920));
        return Collections.unmodifiableMap(out);
    }

    private static ReplicaModel of(
            double prefillRate, long itlMicros, long perSequenceMicros, int slots, int kvBlocks) {
        return new ReplicaModel(
                prefillRate,
                OVERHEAD,
                Duration.ZERO,
                Duration.ofNanos(itlMicros * 1_000),
                Duration.ofNanos(perSequenceMicros * 1_000),
                slots,
                kvBlocks,
                CONTEXT);
    }
}
