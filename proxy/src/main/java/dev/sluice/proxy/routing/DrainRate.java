package dev.sluice.proxy.routing;

/// How fast the queue drains: slots granted from it for each second in which it was not empty.
///
/// Only busy time counts: an idle pool completes little because little is asked of it, and a rate
/// measured then would turn away the first burst. Both sums fade by e^(-t/10 s) of busy time.
///
/// Written by the draining thread of the moment, read by any.
final class DrainRate {
    private static final double FADE_NANOS = 10e9;

    /// Fewer say too little to refuse a call by.
    private static final double LEAST = 5;

    private double granted;
    private double busyNanos;
    private long lastNanos;
    private boolean wasBusy;
    private volatile double perSecond;

    /// @param busy whether calls wait from now on
    void observe(long nowNanos, int grants, boolean busy) {
        if (wasBusy) {
            double passed = Math.max(0, nowNanos - lastNanos);
            double keep = Math.exp(-passed / FADE_NANOS);
            busyNanos = busyNanos * keep + passed;
            granted *= keep;
        }
        granted += grants;
        lastNanos = nowNanos;
        wasBusy = busy;
        perSecond = granted < LEAST || busyNanos == 0 ? 0 : granted / (busyNanos / 1e9);
    }

    /// 0 before enough was measured.
    double perSecond() {
        return perSecond;
    }
}
