package dev.sluice.proxy.routing;

/// How fast the queue drains: slots granted from it for each second in which it was not empty.
///
/// Only busy time counts: an idle pool completes little because little is asked of it, and a rate
/// measured then would turn away the first burst. Both sums fade by e^(-t/30 s) of busy time.
///
/// Written by the draining thread of the moment, read by any.
final class DrainRate {
    private static final double FADE_NANOS = 30e9;

    /// Fewer say too little to refuse a call by.
    private static final int LEAST = 5;

    private long grantedEver;
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
        grantedEver += grants;
        lastNanos = nowNanos;
        wasBusy = busy;
        perSecond = grantedEver < LEAST || busyNanos == 0 ? 0 : granted / (busyNanos / 1e9);
    }

    /// 0 before enough was measured.
    double perSecond() {
        return perSecond;
    }
}
