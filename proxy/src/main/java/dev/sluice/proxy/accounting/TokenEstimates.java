package dev.sluice.proxy.accounting;

import java.util.concurrent.atomic.AtomicLong;

/// How many prompt tokens a body of some size holds, learned from what engines report: an
/// exponentially weighted mean of tokens per byte (weight 0.05, so about the last 40 calls),
/// beginning at 0.25 as English text has it. One ratio for all models: they differ by tens of
/// percent, sizes of prompts by orders of magnitude. Any thread.
public final class TokenEstimates implements CallObserver {
    private static final double FIRST = 0.25;
    private static final double WEIGHT = 0.05;

    private final AtomicLong ratio = new AtomicLong(Double.doubleToRawLongBits(FIRST));

    /// At least 1.
    public int promptTokens(long bytes) {
        double tokens = bytes * Double.longBitsToDouble(ratio.getPlain());
        return Math.clamp(Math.round(tokens), 1, Integer.MAX_VALUE);
    }

    @Override
    public void ended(CallRecord call) {
        long bytes = call.request().promptBytes();
        if (!call.usageReported() || call.promptTokens() <= 0 || bytes <= 0) {
            return;
        }
        double before = Double.longBitsToDouble(ratio.getPlain());
        double sample = (double) call.promptTokens() / bytes;
        // Two loops may race and one sample be lost: an average bears that.
        ratio.setOpaque(Double.doubleToRawLongBits(before + WEIGHT * (sample - before)));
    }
}
