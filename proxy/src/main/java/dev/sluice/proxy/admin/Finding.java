package dev.sluice.proxy.admin;

import dev.sluice.proxy.admin.Live.Picture;
import dev.sluice.proxy.admin.Live.PoolPicture;
import dev.sluice.shared.ScalingStatus;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/// Something that is wrong now, or soon will be.
///
/// @param level `bad`: calls fail or will; `warn`: somebody should look
/// @param panel where the page shows more: `overview`, `endpoints`, `autoscaler`, `calls`,
///   `configuration`
/// @param what it is, in a few words
/// @param detail the numbers, and what to do where that is known
record Finding(String level, String panel, String what, String detail) {
    /// More endpoints than this in one state are told in one line.
    private static final int EACH = 3;

    /// Waits that a person notices.
    private static final long LONG_WAIT_MS = 1_000;

    /// A tenth of the time to first token of a fast engine.
    private static final double LATE_LOOP_MS = 20;

    /// Three of the autoscaler's slowest usual rounds of 5 s.
    static final long SILENT_MS = 15_000;

    /// Worst first.
    static List<Finding> of(Picture now) {
        var out = new ArrayList<Finding>();
        if (!now.ready()) {
            out.add(new Finding("bad", "overview", "The proxy is not ready", now.readiness()));
        }
        now.pools().forEach(pool -> pool(pool, out));
        strain(now.strain(), out);
        now.scaling().forEach(status -> scaling(status, now.timeMs(), out));
        if (now.reload() != null && now.reload().result().equals("rejected")) {
            out.add(
                    new Finding(
                            "warn",
                            "configuration",
                            "The configuration file was refused",
                            now.reload().problems()
                                    + " problems; what ran before runs on. Check the file."));
        }
        out.sort(Comparator.comparingInt(finding -> finding.level.equals("bad") ? 0 : 1));
        return out;
    }

    private static void pool(PoolPicture pool, List<Finding> out) {
        String name = "Pool " + pool.pool() + ": ";
        int queued = pool.beat() == null ? 0 : pool.beat().queued();
        boolean nobody = pool.endpoints().stream().allMatch(e -> e.use().equals("none"));
        if (pool.endpoints().isEmpty()) {
            out.add(new Finding("warn", "endpoints", name + "no endpoint", queued + " calls wait"));
        } else if (nobody) {
            out.add(
                    new Finding(
                            "bad",
                            "endpoints",
                            name + "no endpoint takes calls",
                            "of " + pool.endpoints().size() + "; " + queued + " calls wait"));
        }
        states(pool, "unhealthy", "bad", out);
        states(pool, "degraded", "warn", out);
        Live.Lately lately = pool.lately();
        if (lately != null && lately.failures() >= 0.5) {
            out.add(
                    new Finding(
                            lately.failures() >= 0.05 * lately.calls() ? "bad" : "warn",
                            "calls",
                            name + "calls fail",
                            Math.round(lately.failures())
                                    + " of "
                                    + Math.round(lately.calls())
                                    + " in the last "
                                    + lately.seconds()
                                    + " s, by the engines' fault"));
        }
        if (lately != null && lately.refusals() >= 0.5) {
            out.add(
                    new Finding(
                            "bad",
                            "calls",
                            name + "calls are refused",
                            Math.round(lately.refusals())
                                    + " in the last "
                                    + lately.seconds()
                                    + " s for want of capacity: add endpoints, or raise max"));
        }
        if (pool.oldestQueuedMs() >= LONG_WAIT_MS) {
            out.add(
                    new Finding(
                            "warn",
                            "endpoints",
                            name + "calls wait",
                            queued
                                    + " queued, the oldest for "
                                    + String.format(
                                            Locale.ROOT, "%.1f s", pool.oldestQueuedMs() / 1e3)));
        }
    }

    private static void states(PoolPicture pool, String state, String level, List<Finding> out) {
        List<EndpointView> all =
                pool.endpoints().stream().filter(e -> e.load().state().equals(state)).toList();
        if (all.size() > EACH) {
            out.add(
                    new Finding(
                            level,
                            "endpoints",
                            all.size() + " endpoints of " + pool.pool() + " are " + state,
                            all.getFirst().load().id() + ": " + all.getFirst().load().reason()));
            return;
        }
        for (EndpointView e : all) {
            out.add(
                    new Finding(
                            level, "endpoints", e.load().id() + " is " + state, e.load().reason()));
        }
    }

    private static void strain(Strain strain, List<Finding> out) {
        if (!strain.pressure().equals("none")) {
            out.add(
                    new Finding(
                            "bad",
                            "overview",
                            "The proxy is short of memory",
                            String.format(
                                    Locale.ROOT,
                                    "heap %.0f %%, buffers %.0f %%; it turns calls away (%s)",
                                    100 * strain.heap(),
                                    100 * strain.direct(),
                                    strain.pressure())));
        }
        if (strain.loopLagMs() != null && strain.loopLagMs() > LATE_LOOP_MS) {
            out.add(
                    new Finding(
                            "warn",
                            "overview",
                            "An event loop is late",
                            "by "
                                    + Math.round(strain.loopLagMs())
                                    + " ms in the last second; every call on it waited as long"));
        }
    }

    private static void scaling(ScalingStatus status, long nowMs, List<Finding> out) {
        String name = "Autoscaler of " + status.pool() + ": ";
        for (ScalingStatus.Condition condition : status.conditions()) {
            out.add(
                    new Finding(
                            "warn", "autoscaler", name + condition.type(), condition.message()));
        }
        if (nowMs - status.timeMs() > SILENT_MS) {
            out.add(
                    new Finding(
                            "warn",
                            "autoscaler",
                            name + "silent",
                            "last heard "
                                    + (nowMs - status.timeMs()) / 1_000
                                    + " s ago; the number of replicas stays as it is"));
        }
    }
}
