package dev.sluice.cli;

import org.jline.utils.Signals;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Ctrl-C, SIGTERM or a closed terminal, once this is installed: the first asks the program to come
/// to its end in order, a second ends it at once.
final class StopSignal {
    private static final int INTERRUPTED = 130;

    private final CountDownLatch asked = new CountDownLatch(1);
    private volatile boolean typed;

    /// Takes over the process's signals.
    static StopSignal install() {
        var stop = new StopSignal();
        for (String signal : new String[] {"TERM", "HUP"}) {
            Signals.register(signal, stop::signalled);
        }
        Signals.register("INT", stop::typed);
        return stop;
    }

    /// From now on SIGHUP means this, and a closed terminal ends nothing.
    void hangUp(Runnable reload) {
        Signals.register("HUP", reload);
    }

    /// Asks as a signal would.
    void ask() {
        asked.countDown();
    }

    boolean asked() {
        return asked.getCount() == 0;
    }

    /// Whether it was Ctrl-C: somebody at a keyboard, no supervisor.
    boolean wasTyped() {
        return typed;
    }

    void await() throws InterruptedException {
        asked.await();
    }

    /// @return whether it was asked for within this time
    boolean await(long nanos) throws InterruptedException {
        return asked.await(nanos, TimeUnit.NANOSECONDS);
    }

    private void typed() {
        typed = !asked();
        signalled();
    }

    private void signalled() {
        if (asked()) {
            Runtime.getRuntime().halt(INTERRUPTED);
        }
        ask();
    }
}
