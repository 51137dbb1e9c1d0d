package dev.sluice.simulator.replica;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/// The scheduler of one replica, modelled on vLLM's: continuous batching over paged memory.
///
/// Two lanes run side by side. The prefill reads one prompt at a time, first come first served; at
/// its end the first token exists. The decode goes in steps; each gives every sequence of the batch
/// one token and takes a + b·n. While a prefill runs the decode has 0.3 of its speed, as chunked
/// prefill shares each step with the decodes. A sequence that cannot get the block for its next
/// token preempts the one admitted last, which goes back to the head of the queue and computes its
/// prompt and output again. Admission leaves 1 % of the blocks free, so that a new prompt does not
/// preempt at once.
///
/// What it leaves out: speculative decoding, unequal speed of long contexts, swap to host memory,
/// and output tokens in the prefix cache.
///
/// The caller hands in the time, never backwards, calls {@link #advance} at {@link #nextEventNanos}
/// or later, and stays on one thread.
public final class Replica {
    /// What {@link #nextEventNanos} says of an idle replica.
    public static final long NEVER = Long.MAX_VALUE;

    private final ReplicaModel model;
    private final KvCache kv;
    private final ArrayDeque<Sequence> waiting = new ArrayDeque<>();
    private final List<Sequence> running = new ArrayList<>();
    private final List<Sequence> batch = new ArrayList<>();
    private final PriorityQueue<Sequence> latent =
            new PriorityQueue<>(Comparator.comparingLong(s -> s.dueNanos));

    private long clock;
    private boolean advancing;
    private double slowness = 1;
    private @Nullable Sequence prefilling;
    private double prefillLeft;
    private double stepLeft;
    private long step;
    private long preemptions;

    public Replica(ReplicaModel model, long nowNanos) {
        this.model = model;
        this.kv = new KvCache(model.kvBlocks());
        this.clock = nowNanos;
    }

    /// Puts a sequence at the end of the queue.
    ///
    /// @throws IllegalArgumentException when it can never fit
    public void submit(Sequence sequence, long nowNanos) {
        if ((long) sequence.promptTokens() + sequence.outputTokens() > model.contextTokens()) {
            throw new IllegalArgumentException(
                    "a sequence of "
                            + ((long) sequence.promptTokens() + sequence.outputTokens())
                            + " tokens never fits into "
                            + model.contextTokens());
        }
        advance(nowNanos);
        waiting.addLast(sequence);
        scheduleUnlessAdvancing();
    }

    /// Ends a sequence now, wherever it is: its slot and its blocks are free when this returns.
    public void abort(Sequence sequence, long nowNanos) {
        advance(nowNanos);
        if (sequence.ended()) {
            return;
        }
        leave(sequence);
        sequence.state = Sequence.State.ABORTED;
        scheduleUnlessAdvancing();
    }

    /// Freezes a running sequence: it keeps its slot and blocks until it is aborted.
    public void hold(Sequence sequence) {
        if (sequence.state == Sequence.State.DECODING) {
            sequence.state = Sequence.State.HELD;
        }
    }

    /// Makes everything take `factor` times as long from now on.
    public void slow(double factor, long nowNanos) {
        advance(nowNanos);
        slowness = factor;
    }

    /// Does all that was due until now.
    public void advance(long nowNanos) {
        if (advancing) {
            return;
        }
        advancing = true;
        try {
            for (long next = nextEventNanos(); next <= nowNanos; next = nextEventNanos()) {
                progress(next);
                settle();
                schedule();
            }
            progress(nowNanos);
        } finally {
            advancing = false;
        }
    }

    /// When something happens next, or {@link #NEVER}.
    public long nextEventNanos() {
        long next = latent.isEmpty() ? NEVER : latent.peek().dueNanos;
        if (prefilling != null) {
            next = Math.min(next, clock + (long) Math.ceil(prefillLeft * slowness));
        }
        if (!batch.isEmpty()) {
            next = Math.min(next, clock + (long) Math.ceil(stepLeft / decodeSpeed()));
        }
        return next;
    }

    /// Sequences that hold a slot.
    public int running() {
        return running.size();
    }

    /// Sequences that wait for a slot, for memory or for the prefill.
    public int waiting() {
        return waiting.size();
    }

    public KvCache kv() {
        return kv;
    }

    /// Preemptions since the start.
    public long preemptions() {
        return preemptions;
    }

    private double decodeSpeed() {
        double share = prefilling == null ? 1 : ReplicaModel.DECODE_SHARE_DURING_PREFILL;
        return share / slowness;
    }

    private void progress(long nowNanos) {
        long passed = nowNanos - clock;
        if (passed <= 0) {
            return;
        }
        if (!batch.isEmpty()) {
            stepLeft = left(stepLeft - passed * decodeSpeed());
        }
        if (prefilling != null) {
            prefillLeft = left(prefillLeft - passed / slowness);
        }
        clock = nowNanos;
    }

    /// Below a nanosecond is rounding.
    private static double left(double nanos) {
        return nanos < 1 ? 0 : nanos;
    }

    private void settle() {
        Sequence read = prefilling;
        if (read != null && prefillLeft == 0) {
            prefilling = null;
            kv.publish(read);
            if (read.generated == 0 && model.latency().isPositive()) {
                read.state = Sequence.State.LATENT;
                read.dueNanos = clock + (long) (model.latency().toNanos() * slowness);
                latent.add(read);
            } else {
                emit(read);
            }
        }
        while (!latent.isEmpty() && latent.peek().dueNanos <= clock) {
            emit(latent.remove());
        }
        if (!batch.isEmpty() && stepLeft == 0) {
            finishStep();
        }
    }

    private void finishStep() {
        List<Sequence> done = List.copyOf(batch);
        batch.clear();
        for (Sequence sequence : done) {
            if (sequence.step == step && sequence.state == Sequence.State.DECODING) {
                emit(sequence);
            }
        }
    }

    private void emit(Sequence sequence) {
        sequence.generated++;
        if (sequence.generated == sequence.outputTokens()) {
            sequence.state = Sequence.State.FINISHED;
            kv.release(sequence);
            running.remove(sequence);
        } else {
            sequence.state = Sequence.State.DECODING;
        }
        sequence.sink().token(sequence, clock);
    }

    private void scheduleUnlessAdvancing() {
        if (advancing) {
            return;
        }
        advancing = true;
        try {
            schedule();
        } finally {
            advancing = false;
        }
    }

    private void schedule() {
        if (batch.isEmpty()) {
            startStep();
        }
        startPrefill();
    }

    private void startStep() {
        step++;
        for (Sequence sequence : List.copyOf(running)) {
            if (sequence.state == Sequence.State.DECODING && makeRoom(sequence)) {
                sequence.step = step;
                batch.add(sequence);
            }
        }
        batch.removeIf(s -> s.state != Sequence.State.DECODING);
        stepLeft = model.stepNanos(batch.size());
    }

    /// Preempts from the end until the sequence can go on, if need be itself.
    private boolean makeRoom(Sequence sequence) {
        while (!kv.grow(sequence)) {
            Sequence victim = sequence;
            for (Sequence other : running.reversed()) {
                if (other.state != Sequence.State.HELD) {
                    victim = other;
                    break;
                }
            }
            leave(victim);
            victim.state = Sequence.State.WAITING;
            victim.step = -1;
            waiting.addFirst(victim);
            preemptions++;
            if (victim == sequence) {
                return false;
            }
        }
        return true;
    }

    private void startPrefill() {
        Sequence next = waiting.peekFirst();
        if (prefilling != null || next == null || running.size() >= model.slots()) {
            return;
        }
        int reserve = running.isEmpty() ? 0 : Math.max(1, model.kvBlocks() / 100);
        if (!kv.admit(next, reserve)) {
            return;
        }
        waiting.removeFirst();
        running.add(next);
        next.state = Sequence.State.PREFILLING;
        prefilling = next;
        prefillLeft = model.prefillNanos(next.tokens() - kv.sharedTokens(next));
        if (!next.started) {
            next.started = true;
            next.sink().started(next, clock);
        }
    }

    private void leave(Sequence sequence) {
        if (!running.remove(sequence)) {
            waiting.remove(sequence);
        }
        if (prefilling == sequence) {
            prefilling = null;
        }
        latent.remove(sequence);
        batch.remove(sequence);
        kv.release(sequence);
    }
}
