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
    /// @param reload the last one; null before any
    /// @param calls the newest ones, without their attempts
    /// @param findings what is wrong now, worst first
    record Picture(
            long timeMs,
            long uptimeS,
            String version,
            boolean ready,
            String readiness,
            List<PoolPicture> pools,
            List<ScalingStatus> scaling,
            Strain strain,
            @Nullable ReloadPicture reload,
            List<CallLine> calls,
            List<Finding> findings) {

        Picture withFindings() {
            return new Picture(
                    timeMs,
                    uptimeS,
                    version,
                    ready,
                    readiness,
                    pools,
                    scaling,
                    strain,
                    reload,
                    calls,
                    Finding.of(this));
        }
    }

    /// @param problems how many kept it from being taken over
    record ReloadPicture(String result, long timeMs, int problems) {
        static @Nullable ReloadPicture of(Configuration.@Nullable Last last) {
            return last == null
                    ? null
                    : new ReloadPicture(
                            last.reloaded().result().label(),
                            last.timeMs(),
                            last.reloaded().problems().size());
        }
    }

    /// What ended in the last seconds.
    record Lately(int seconds, double calls, double failures, double refusals) {}

    /// @param slots what the ready endpoints may run at once; null where one has no cap
    /// @param held calls that wait while no endpoint exists that could serve them
    /// @param predictedWaitMs of a call that came now; null before any was measured
    /// @param beat the newest second; null before the first, as the next
    record PoolPicture(
            String pool,
            String policy,
            List<String> models,
            @Nullable Integer slots,
            int held,
            long oldestQueuedMs,
            @Nullable Long predictedWaitMs,
            Pulse.@Nullable Beat beat,
            @Nullable Lately lately,
            List<EndpointView> endpoints) {}

    /// A call in a list.
    record CallLine(
            String id,
            long timeMs,
            String model,
            String path,
            String pool,
            String tenant,
            int status,
            String outcome,
            @Nullable String code,
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
                    call.pool(),
                    call.tenant(),
                    call.status(),
                    call.outcome(),
                    call.code(),
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
