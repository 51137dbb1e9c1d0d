package dev.sluice.simulator.evaluation;

import dev.sluice.simulator.replica.KvCache;
import dev.sluice.simulator.replica.ReplicaModel;
import dev.sluice.simulator.trace.TraceCall;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.PriorityQueue;

/// The replica of {@link dev.sluice.simulator.replica.Replica} as a fluid, so that a day takes less
/// than a second: an event for each call's first and last token instead of one for each token.
///
/// One prompt is read at a time, `tokens / P` plus the overhead. All n sequences of the batch go on
/// at `a + b·n` a token, at 0.3 of that speed while a prompt is read; since they share one speed, a
/// sequence ends when the common token clock has gone on by its tokens (virtual time as in fair
/// queueing). When the KV memory is full the newest sequence gives its memory back and is read
/// again. Prompt blocks that were read before and are still kept cost nothing.
///
/// Milliseconds. One thread.
///
/// Where it differs from the exact model: tokens are a continuous quantity, a step never holds up a
/// sequence that joins in the middle of it; blocks that running sequences share are counted for
/// each of them.
final class FastReplica {
    private static final double NEVER = Double.POSITIVE_INFINITY;
    private static final double TINY = 1e-6;

    /// A fresh engine compiles and fills its caches with its first calls.
    private static final int COLD_CALLS = 20;

    private static final double COLD_PREFILL = 2;

    /// Told what becomes of a call.
    interface Sink {
        void firstToken(int call, double ms);

        void done(int call, double ms);
    }

    /// A call in the engine.
    private static final class Work {
        final int call;
        final List<Long> blocks;
        int context;
        int left;
        boolean begun;
        double start;
        double end;

        Work(int call, int context, int left, List<Long> blocks) {
            this.call = call;
            this.context = context;
            this.left = left;
            this.blocks = blocks;
        }
    }

    private final double perPromptToken;
    private final double overhead;
    private final double base;
    private final double perSequence;
    private final int slots;
    private final double memory;
    private final Sink sink;
    private final ArrayDeque<Work> waiting = new ArrayDeque<>();
    private final PriorityQueue<Work> batch =
            new PriorityQueue<>((x, y) -> Double.compare(x.end, y.end));
    private final LinkedHashMap<Long, Boolean> kept = new LinkedHashMap<>(16, 0.75f, true);
    private @Nullable Work prefilling;
    private double prefillEnd;
    private double now;
    private double clock;
    private double used;
    private int begun;
    private long promptTokens;
    private long hitTokens;
    private double busyMs;
    private double loadMs;

    FastReplica(ReplicaModel model, double nowMs, Sink sink) {
        this.perPromptToken = 1000 / model.prefillTokensPerSecond();
        this.overhead = model.overhead().toNanos() / 1e6;
        this.base = model.itlBase().toNanos() / 1e6;
        this.perSequence = model.itlPerSequence().toNanos() / 1e6;
        this.slots = model.slots();
        this.memory = (double) model.kvBlocks() * KvCache.BLOCK_TOKENS;
        this.now = nowMs;
        this.sink = sink;
    }

    /// Whether its memory can ever hold a call of so many tokens.
    boolean fits(int prompt, int output) {
        return prompt + output <= memory;
    }

    void submit(int call, int prompt, int output, List<Long> blocks, double nowMs) {
        advance(nowMs);
        waiting.add(new Work(call, prompt, output, blocks));
        begin();
    }

    /// When something happens next; infinite when nothing will.
    double nextMs() {
        double next = prefilling == null ? NEVER : prefillEnd;
        Work first = batch.peek();
        if (first != null) {
            double tokens = Math.min(first.end - clock, (memory - used) / batch.size());
            next = Math.min(next, now + Math.max(0, tokens) / speed());
        }
        return next;
    }

    /// Lets happen what is due at {@link #nextMs}.
    void step() {
        double due = nextMs();
        boolean prefilled = prefilling != null && prefillEnd <= due;
        advance(due);
        if (prefilled) {
            endPrefill();
        }
        while (!batch.isEmpty() && batch.peek().end - clock <= TINY) {
            Work ended = batch.remove();
            used -= held(ended);
            sink.done(ended.call, now);
        }
        if (!batch.isEmpty() && memory - used <= TINY) {
            preempt();
        }
        begin();
    }

    /// Moves its time on; nothing may be due before.
    void advance(double nowMs) {
        double passed = nowMs - now;
        if (passed <= 0) {
            return;
        }
        int n = batch.size();
        if (n > 0) {
            double tokens = passed * speed();
            clock += tokens;
            used += tokens * n;
        }
        int running = running();
        if (running > 0) {
            busyMs += passed;
            loadMs += passed * running / slots;
        }
        now = nowMs;
    }

    /// Sequences that hold a slot.
    int running() {
        return batch.size() + (prefilling == null ? 0 : 1);
    }

    int waiting() {
        return waiting.size();
    }

    /// Time with anything to run, since its start.
    double busyMs() {
        return busyMs;
    }

    /// Time weighted with the share of its slots in use, since its start.
    double loadMs() {
        return loadMs;
    }

    long promptTokens() {
        return promptTokens;
    }

    long hitTokens() {
        return hitTokens;
    }

    private double speed() {
        double share = prefilling == null ? 1 : ReplicaModel.DECODE_SHARE_DURING_PREFILL;
        return share / (base + perSequence * batch.size());
    }

    private double held(Work w) {
        return w.context + clock - w.start;
    }

    private void begin() {
        Work next = waiting.peek();
        if (prefilling != null || next == null || running() >= slots) {
            return;
        }
        double reserve = batch.isEmpty() ? 0 : memory / 100;
        if (next.context > memory - used - reserve) {
            return;
        }
        waiting.remove();
        prefilling = next;
        used += next.context;
        int hit = hit(next);
        if (!next.begun) {
            begun++;
            promptTokens += next.context;
            hitTokens += hit;
        }
        double ms = overhead + (next.context - hit) * perPromptToken;
        prefillEnd = now + (begun <= COLD_CALLS ? COLD_PREFILL : 1) * ms;
    }

    private void endPrefill() {
        Work w = prefilling;
        if (w == null) {
            return;
        }
        prefilling = null;
        keep(w.blocks);
        if (!w.begun) {
            w.begun = true;
            w.left--;
            sink.firstToken(w.call, now);
        }
        if (w.left <= 0) {
            used -= w.context;
            sink.done(w.call, now);
            return;
        }
        w.start = clock;
        w.end = clock + w.left;
        batch.add(w);
    }

    private void preempt() {
        Work newest = batch.peek();
        for (Work w : batch) {
            if (newest == null || w.start > newest.start) {
                newest = w;
            }
        }
        if (newest == null) {
            return;
        }
        batch.remove(newest);
        used -= held(newest);
        double made = clock - newest.start;
        newest.context += (int) Math.round(made);
        newest.left = (int) Math.max(1, Math.round(newest.end - clock));
        waiting.addFirst(newest);
    }

    /// Tokens at the front of the prompt that are kept from before; the last block is always read.
    private int hit(Work w) {
        int blocks = 0;
        int most = (w.context - 1) / TraceCall.BLOCK_TOKENS;
        for (Long id : w.blocks) {
            if (blocks == most || kept.get(id) == null) {
                break;
            }
            blocks++;
        }
        return blocks * TraceCall.BLOCK_TOKENS;
    }

    private void keep(List<Long> blocks) {
        for (Long id : blocks.reversed()) {
            kept.put(id, true);
        }
        double room = (memory - used) / TraceCall.BLOCK_TOKENS + blocks.size();
        var oldest = kept.keySet().iterator();
        while (kept.size() > room && oldest.hasNext()) {
            oldest.next();
            oldest.remove();
        }
    }

    /// All calls in it, for when it dies.
    List<Integer> calls() {
        var out = new ArrayList<Integer>();
        waiting.forEach(w -> out.add(w.call));
        batch.forEach(w -> out.add(w.call));
        if (prefilling != null) {
            out.add(prefilling.call);
        }
        return out;
    }
}
