package dev.sluice.simulator.server;

import io.netty.channel.EventLoop;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/// The faults in force: draws for each call, slows the engine, and ends the replica when the time
/// to crash has come. On the event loop.
public final class Mishaps {
    private final EventLoop loop;
    private final Engine engine;
    private final RandomGenerator random;
    private final Runnable crash;
    private Faults faults = Faults.NONE;
    private @Nullable Future<?> crashing;

    public Mishaps(EventLoop loop, Engine engine, RandomGenerator random, Runnable crash) {
        this.loop = loop;
        this.engine = engine;
        this.random = random;
        this.crash = crash;
    }

    /// Puts this set in the place of the one before.
    public void replace(Faults next) {
        faults = next;
        engine.slow(next.slowness());
        if (crashing != null) {
            crashing.cancel(false);
            crashing = null;
        }
        Duration after = next.crashAfter();
        if (after != null) {
            crashing = loop.schedule(crash, after.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    Faults faults() {
        return faults;
    }

    Faults.@Nullable Kind pick() {
        return faults.pick(random);
    }

    boolean hungEntirely() {
        return faults.rate(Faults.Kind.HANG) == 1;
    }

    String json() {
        return faults.json();
    }
}
