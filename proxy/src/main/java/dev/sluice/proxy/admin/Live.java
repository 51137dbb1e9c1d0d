package dev.sluice.proxy.admin;

import dev.sluice.proxy.accounting.Pulse;
import dev.sluice.shared.AdminAnswer;
import dev.sluice.shared.AdminJson;
import dev.sluice.shared.ScalingStatus;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// The page's stream: one picture a second, made once for all who watch, and not at all while
/// nobody does. A watcher that falls behind misses pictures, since each one is whole.
final class Live {
    private static final int MOST_WATCHERS = 32;

    private final Supplier<Picture> pictures;
    private final Supplier<Map<String, List<Pulse.Beat>>> history;
    private int watchers;
    private long number;
    private byte[] picture = new byte[0];

    /// What the page draws.
    ///
    /// @param calls the newest ones, without their attempts
    record Picture(
            long timeMs,
            long uptimeS,
            String version,
            boolean ready,
            String readiness,
            List<PoolPicture> pools,
            List<ScalingStatus> scaling,
            List<CallLine> calls) {}

    /// @param beat the newest second; null before the first
    record PoolPicture(
            String pool,
            String policy,
            List<String> models,
            long oldestQueuedMs,
            Pulse.@Nullable Beat beat,
            List<EndpointView> endpoints) {}

    /// A call in a list.
    record CallLine(
            String id,
            long timeMs,
            String model,
            String path,
            int status,
            String outcome,
            @Nullable String endpoint,
            @Nullable Double ttftMs,
            double totalMs,
            int outputTokens,
            int attempts) {

        static CallLine of(CallView call) {
            return new CallLine(
                    call.id(),
                    call.timeMs(),
                    call.model(),
                    call.path(),
                    call.status(),
                    call.outcome(),
                    call.endpoint(),
                    call.ttftMs(),
                    call.totalMs(),
                    call.outputTokens(),
                    call.attempts().size());
        }
    }

    Live(Supplier<Picture> pictures, Supplier<Map<String, List<Pulse.Beat>>> history) {
        this.pictures = pictures;
        this.history = history;
    }

    AdminAnswer watch() {
        synchronized (this) {
            if (watchers >= MOST_WATCHERS) {
                return new AdminAnswer.Problem(
                        503,
                        "too_many_watchers",
                        MOST_WATCHERS + " pages watch already",
                        null,
                        "close one of them");
            }
        }
        return new AdminAnswer.Events(this::feed);
    }

    /// Once a second, after the pulse.
    void publish() {
        synchronized (this) {
            if (watchers == 0) {
                return;
            }
        }
        byte[] next = AdminJson.bytes(pictures.get());
        synchronized (this) {
            picture = next;
            number++;
            notifyAll();
        }
    }

    private void feed(AdminAnswer.Sink sink) throws IOException, InterruptedException {
        enter(1);
        try {
            sink.send("history", AdminJson.bytes(history.get()));
            sink.send("picture", AdminJson.bytes(pictures.get()));
            long seen = seen();
            while (true) {
                byte[] next;
                synchronized (this) {
                    while (number == seen) {
                        wait();
                    }
                    seen = number;
                    next = picture;
                }
                sink.send("picture", next);
            }
        } finally {
            enter(-1);
        }
    }

    private synchronized long seen() {
        return number;
    }

    private synchronized void enter(int watcher) {
        watchers += watcher;
    }
}
