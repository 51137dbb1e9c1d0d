package dev.sluice.simulator.replica;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;

/// The paged key-value memory of a replica with its prefix cache, as vLLM keeps it.
///
/// A block holds 16 tokens. A full prompt block is published under its chained hash once it is
/// computed; a later sequence with the same leading hashes shares it and skips that part of its
/// prefill. A block that no sequence uses any more stays until its memory is wanted: the least
/// recently used goes first, and of one sequence the last block first, since the front of a prompt
/// is shared more often.
public final class KvCache {
    public static final int BLOCK_TOKENS = 16;

    /// A block in use or kept; plain free memory is only counted.
    static final class Block {
        private long hash;
        private boolean published;
        private int users = 1;
    }

    private final int total;
    private int free;
    private final Map<Long, Block> published = new HashMap<>();
    private final LinkedHashSet<Block> idle = new LinkedHashSet<>();
    private long queriedTokens;
    private long hitTokens;

    KvCache(int blocks) {
        this.total = blocks;
        this.free = blocks;
    }

    /// Share of the memory that running sequences use, 0..1; kept idle blocks do not count.
    public double usage() {
        return (double) used() / total;
    }

    /// Prompt tokens looked up in the prefix cache since the start.
    public long queriedTokens() {
        return queriedTokens;
    }

    /// Prompt tokens found there.
    public long hitTokens() {
        return hitTokens;
    }

    /// Gives a sequence the blocks of its tokens so far, unless fewer than `reserve` would stay
    /// free.
    ///
    /// @return whether it fitted; the tokens found in the cache are in `sequence.cachedTokens` when
    ///   this is its first start
    boolean admit(Sequence sequence, int reserve) {
        int needed = blocksOf(sequence.tokens());
        int hits = 0;
        int idleHits = 0;
        // The last token is always computed: its logits are needed.
        int most = Math.min(sequence.prefix().length, (sequence.tokens() - 1) / BLOCK_TOKENS);
        while (hits < most) {
            Block block = published.get(sequence.prefix()[hits]);
            if (block == null) {
                break;
            }
            idleHits += block.users == 0 ? 1 : 0;
            hits++;
        }
        if (needed - hits + reserve > free + idle.size() - idleHits) {
            return false;
        }
        for (int i = 0; i < hits; i++) {
            sequence.blocks.add(share(sequence.prefix()[i]));
        }
        while (sequence.blocks.size() < needed) {
            sequence.blocks.add(take());
        }
        if (!sequence.started) {
            queriedTokens += sequence.promptTokens();
            hitTokens += (long) hits * BLOCK_TOKENS;
            sequence.cachedTokens = hits * BLOCK_TOKENS;
        }
        return true;
    }

    /// Tokens of an admitted sequence that the prefill need not compute.
    int sharedTokens(Sequence sequence) {
        int shared = 0;
        for (Block block : sequence.blocks) {
            if (!block.published) {
                break;
            }
            shared++;
        }
        return shared * BLOCK_TOKENS;
    }

    /// Makes room for the next token of a running sequence.
    boolean grow(Sequence sequence) {
        if (blocksOf(sequence.tokens()) <= sequence.blocks.size()) {
            return true;
        }
        if (free == 0 && idle.isEmpty()) {
            return false;
        }
        sequence.blocks.add(take());
        return true;
    }

    /// Publishes the computed prompt blocks.
    void publish(Sequence sequence) {
        long[] prefix = sequence.prefix();
        int full = Math.min(prefix.length, sequence.promptTokens() / BLOCK_TOKENS);
        for (int i = 0; i < full; i++) {
            Block block = sequence.blocks.get(i);
            if (!block.published && published.putIfAbsent(prefix[i], block) == null) {
                block.hash = prefix[i];
                block.published = true;
            }
        }
    }

    /// Takes all blocks back.
    void release(Sequence sequence) {
        for (Block block : sequence.blocks.reversed()) {
            block.users--;
            if (block.users > 0) {
                continue;
            }
            if (block.published) {
                idle.add(block);
            } else {
                free++;
            }
        }
        sequence.blocks.clear();
    }

    static int blocksOf(int tokens) {
        return (tokens + BLOCK_TOKENS - 1) / BLOCK_TOKENS;
    }

    private Block share(long hash) {
        Block block = published.get(hash);
        if (block == null) {
            throw new IllegalStateException("block counted as a hit and not there");
        }
        if (block.users == 0) {
            idle.remove(block);
        }
        block.users++;
        return block;
    }

    private Block take() {
        if (free > 0) {
            free--;
        } else {
            Block oldest = idle.removeFirst();
            published.remove(oldest.hash);
        }
        return new Block();
    }

    /// Blocks that sequences hold.
    int used() {
        return total - free - idle.size();
    }
}
