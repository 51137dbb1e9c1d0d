package dev.sluice.simulator.replay;

import dev.sluice.simulator.trace.TraceCall;

import java.util.SplittableRandom;

/// Prompts of a wanted size: four bytes for a token, words without meaning, plain ASCII that needs
/// no escape in JSON. Equal block ids give equal text; without ids no two calls begin alike.
final class Prose {
    private static final int BYTES_PER_TOKEN = 4;
    private static final String[] WORDS =
            ("mill river boat grain wheel water morning child bank rain spring tree light stone"
                 + " bridge people work bread time quiet green evening shade wind road field")
                    .split(" ");

    private final long seed;

    Prose(long seed) {
        this.seed = seed;
    }

    /// The prompt of the call with this number in the replay.
    String prompt(TraceCall call, long number) {
        int bytes = call.inputTokens() * BYTES_PER_TOKEN;
        var out = new StringBuilder(bytes);
        if (call.blocks().isEmpty()) {
            fill(out, "call " + number + " of " + seed, seed ^ (number << 20), bytes);
            return out.toString();
        }
        int blockBytes = TraceCall.BLOCK_TOKENS * BYTES_PER_TOKEN;
        for (long block : call.blocks()) {
            fill(out, "block " + block, block, Math.min(bytes, out.length() + blockBytes));
        }
        fill(out, " and more", number, bytes);
        return out.toString();
    }

    private static void fill(StringBuilder out, String opening, long textSeed, int end) {
        if (out.length() >= end) {
            return;
        }
        var random = new SplittableRandom(textSeed);
        out.append(opening);
        while (out.length() < end) {
            out.append(' ').append(WORDS[random.nextInt(WORDS.length)]);
        }
        out.setLength(end);
    }
}
