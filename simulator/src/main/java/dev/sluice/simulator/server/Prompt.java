package dev.sluice.simulator.server;

import dev.sluice.simulator.replica.KvCache;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// A prompt as the engine sees it: how many tokens, and what they share with others.
///
/// A token is four bytes of UTF-8, the usual average of English text. The prefix is one hash for
/// each full block of 16 tokens, each over its bytes and the hash before it, so that two prompts
/// share exactly their equal leading blocks.
final class Prompt {
    static final int BYTES_PER_TOKEN = 4;

    private static final int BLOCK_BYTES = KvCache.BLOCK_TOKENS * BYTES_PER_TOKEN;
    private static final VarHandle LONGS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] text;
    private final long[] prefix;

    private Prompt(byte[] text, long[] prefix) {
        this.text = text;
        this.prefix = prefix;
    }

    static Prompt of(byte[] text) {
        long[] prefix = new long[text.length / BLOCK_BYTES];
        long hash = 0x9E3779B97F4A7C15L;
        for (int block = 0; block < prefix.length; block++) {
            for (int i = 0; i < BLOCK_BYTES; i += Long.BYTES) {
                hash = mix(hash ^ (long) LONGS.get(text, block * BLOCK_BYTES + i));
            }
            prefix[block] = hash;
        }
        return new Prompt(text, prefix);
    }

    /// At least 1.
    int tokens() {
        return Math.max(1, (text.length + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN);
    }

    long[] prefix() {
        return prefix;
    }

    /// The id of one token: any function of its bytes will do.
    int tokenId(int index) {
        int id = 0;
        int end = Math.min(text.length, (index + 1) * BYTES_PER_TOKEN);
        for (int i = index * BYTES_PER_TOKEN; i < end; i++) {
            id = id * 31 + (text[i] & 0xff);
        }
        return Math.floorMod(id, 128_000);
    }

    /// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
    static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
