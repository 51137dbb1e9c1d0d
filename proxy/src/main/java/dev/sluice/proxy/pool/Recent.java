package dev.sluice.proxy.pool;

import org.jspecify.annotations.Nullable;

/// An endpoint's last 10 seconds, by this proxy's own exchanges.
///
/// @param requests ended, without those that say nothing of the endpoint (429, client gone)
/// @param failures of those, by its fault
/// @param ttftNanos mean; null without a sample
/// @param nanosPerToken mean time between two output tokens; null without a stream
/// @param tokens output tokens
/// @param busyNanos summed duration of the exchanges that ended
public record Recent(
        long requests,
        long failures,
        @Nullable Double ttftNanos,
        @Nullable Double nanosPerToken,
        long tokens,
        long busyNanos) {

    static final Recent NOTHING = new Recent(0, 0, null, null, 0, 0);

    /// 0 to 1; 0 without requests.
    public double errorRate() {
        return requests == 0 ? 0 : (double) failures / requests;
    }

    /// Goodput of one busy second: output tokens (requests, where none were counted) that came out
    /// well for each second that an exchange ran. Work for each busy second, unlike work for each
    /// second, does not grow with the share that an endpoint is given, so weights made of it do not
    /// feed on themselves. Null without requests.
    public @Nullable Double goodput() {
        if (requests == 0 || busyNanos == 0) {
            return null;
        }
        double work = tokens > 0 ? tokens : requests;
        return work / (busyNanos / 1e9) * (1 - errorRate());
    }
}
