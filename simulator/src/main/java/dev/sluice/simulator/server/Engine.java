package dev.sluice.simulator.server;

import dev.sluice.simulator.replica.Replica;
import dev.sluice.simulator.replica.ReplicaModel;
import dev.sluice.simulator.replica.Sequence;

import io.netty.channel.EventLoop;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// Runs a {@link Replica} in real time on the event loop: one timer for the whole engine, armed for
/// its next event, however many streams it feeds.
public final class Engine {
    private final EventLoop loop;
    private final LongSupplier nanoClock;
    private final Replica replica;
    private @Nullable Future<?> timer;
    private long timerNanos;

    public Engine(EventLoop loop, LongSupplier nanoClock, ReplicaModel model) {
        this.loop = loop;
        this.nanoClock = nanoClock;
        this.replica = new Replica(model, nanoClock.getAsLong());
    }

    public long now() {
        return nanoClock.getAsLong();
    }

    void submit(Sequence sequence) {
        replica.submit(sequence, now());
        arm();
    }

    void abort(Sequence sequence) {
        replica.abort(sequence, now());
        arm();
    }

    void hold(Sequence sequence) {
        replica.hold(sequence);
    }

    void slow(double factor) {
        replica.slow(factor, now());
        arm();
    }

    Replica replica() {
        return replica;
    }

    private void tick() {
        timer = null;
        replica.advance(now());
        arm();
    }

    /// An earlier timer is left alone: it finds nothing due and arms the next one.
    private void arm() {
        long next = replica.nextEventNanos();
        if (next == Replica.NEVER || (timer != null && timerNanos - next <= 0)) {
            return;
        }
        if (timer != null) {
            timer.cancel(false);
        }
        timerNanos = next;
        timer = loop.schedule(this::tick, Math.max(0, next - now()), TimeUnit.NANOSECONDS);
    }
}
