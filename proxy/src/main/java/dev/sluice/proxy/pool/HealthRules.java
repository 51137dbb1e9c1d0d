package dev.sluice.proxy.pool;

import dev.sluice.proxy.pool.HealthState.Degraded;
import dev.sluice.proxy.pool.HealthState.Draining;
import dev.sluice.proxy.pool.HealthState.Healthy;
import dev.sluice.proxy.pool.HealthState.Starting;
import dev.sluice.proxy.pool.HealthState.Unhealthy;
import dev.sluice.proxy.pool.Observations.Trial;
import dev.sluice.shared.EngineLoad;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The health state machine: (state, observations, now) to state. Pure.
///
/// STARTING becomes HEALTHY with the first passed probe. DEGRADED after {@link #TICKS_NANOS} of any
/// soft signal, back after {@link #CALM_NANOS} with all of them below 0.7 of their threshold (two
/// thresholds, so that it does not flap). UNHEALTHY at once by evidence of requests or three failed
/// probes; then ejected for 5 s·2^(n−1) up to 300 s, and back by one request at a time. Passing
/// probes alone never clear what requests showed: an engine's health page often answers while its
/// GPU does not. Statistics are held back when half of the pool is out already (the panic rule):
/// when everything fails, the fault is more likely in front of the endpoints than in all of them.
/// While bytes of answers come, probes that time out degrade after three and never eject: an engine
/// under full load answers its health page late, and three such in a row are no news.
final class HealthRules {
    /// Two ticks apart; a little less, since ticks are not exact.
    static final long TICKS_NANOS = 900_000_000L;

    static final long CALM_NANOS = 5_000_000_000L;
    static final int MIN_REQUESTS = 10;
    private static final int OUT_PROBES = 3;
    private static final double LEAVE = 0.7;

    private HealthRules() {}

    static HealthState next(HealthState state, Observations seen, HealthConfig config, long now) {
        HealthState bare = state instanceof Draining d ? d.under() : state;
        HealthState judged =
                switch (bare) {
                    case Starting s -> starting(s, seen, now);
                    case Healthy s -> healthy(s, seen, config, now);
                    case Degraded s -> degraded(s, seen, config, now);
                    case Unhealthy s -> unhealthy(s, seen, config, now);
                    case Draining s -> s;
                };
        if (seen.drained() == null) {
            return judged;
        }
        return new Draining(
                seen.drained(), state instanceof Draining d ? d.sinceNanos() : now, judged);
    }

    private static HealthState starting(Starting was, Observations seen, long now) {
        if (seen.trial() == Trial.SUCCEEDED) {
            return new Healthy("answered a request", now, null, 0);
        }
        if (seen.probes().passes() > 0) {
            return new Healthy("answers its probe", now, null, 0);
        }
        String reason =
                seen.probes().last().isEmpty()
                        ? was.reason()
                        : "not ready yet: " + seen.probes().last();
        return new Starting(reason, was.sinceNanos());
    }

    private static HealthState healthy(
            Healthy was, Observations seen, HealthConfig config, long now) {
        Unhealthy out = ejected(was.ejections(), seen, config, now);
        if (out != null) {
            return out;
        }
        List<String> bad = signals(seen, config, 1);
        if (bad.isEmpty()) {
            boolean forgiven = now - was.sinceNanos() >= config.maxEjection().toNanos();
            return new Healthy(
                    was.reason(), was.sinceNanos(), null, forgiven ? 0 : was.ejections());
        }
        long since = was.badSince() == null ? now : was.badSince();
        return now - since >= TICKS_NANOS
                ? new Degraded(text(bad), now, null, weight(bad), was.ejections())
                : new Healthy(was.reason(), was.sinceNanos(), since, was.ejections());
    }

    private static HealthState degraded(
            Degraded was, Observations seen, HealthConfig config, long now) {
        Unhealthy out = ejected(was.ejections(), seen, config, now);
        if (out != null) {
            return out;
        }
        if (!signals(seen, config, LEAVE).isEmpty()) {
            List<String> bad = signals(seen, config, 1);
            return bad.isEmpty()
                    ? new Degraded(
                            was.reason(), was.sinceNanos(), null, was.weight(), was.ejections())
                    : new Degraded(text(bad), was.sinceNanos(), null, weight(bad), was.ejections());
        }
        long calm = was.calmSince() == null ? now : was.calmSince();
        return now - calm >= CALM_NANOS
                ? new Healthy("recovered from: " + was.reason(), now, null, was.ejections())
                : new Degraded(was.reason(), was.sinceNanos(), calm, was.weight(), was.ejections());
    }

    private static HealthState unhealthy(
            Unhealthy was, Observations seen, HealthConfig config, long now) {
        if (seen.trial() == Trial.SUCCEEDED) {
            return new Healthy("answered its trial request", now, null, was.ejections());
        }
        if (was.trialAt() == null) {
            // Out by its probes alone: requests may add their evidence, else probes bring it back.
            Unhealthy worse = byRequests(was.ejections() - 1, seen, config, now);
            if (worse != null) {
                return new Unhealthy(
                        was.reason(), was.sinceNanos(), worse.trialAt(), was.ejections());
            }
            return seen.probes().passes() >= 2
                    ? new Healthy("answers its probe again", now, null, was.ejections())
                    : was;
        }
        // A failed trial before its time was the panic rule's, and proves nothing new.
        if (seen.trial() == Trial.FAILED && now - was.trialAt() >= 0) {
            int n = was.ejections() + 1;
            return new Unhealthy(
                    "failed its trial request", was.sinceNanos(), now + ejection(n, config), n);
        }
        return was;
    }

    private static @Nullable Unhealthy ejected(
            int before, Observations seen, HealthConfig config, long now) {
        Unhealthy out = byRequests(before, seen, config, now);
        if (out != null) {
            return out;
        }
        return seen.probes().failures() >= OUT_PROBES && !excused(seen)
                ? new Unhealthy(
                        seen.probes().failures() + " failed probes: " + seen.probes().last(),
                        now,
                        null,
                        before + 1)
                : null;
    }

    private static @Nullable Unhealthy byRequests(
            int before, Observations seen, HealthConfig config, long now) {
        String why = null;
        if (seen.refusedInARow() >= 2) {
            why = seen.refusedInARow() + " refused connections in a row";
        } else if (seen.failuresInARow() >= 5 && seen.mayEject()) {
            why = seen.failuresInARow() + " failures in a row";
        } else if (enough(seen) && seen.recent().errorRate() >= 0.5 && seen.mayEject()) {
            why = "error rate " + percent(seen.recent().errorRate());
        }
        int n = before + 1;
        return why == null ? null : new Unhealthy(why, now, now + ejection(n, config), n);
    }

    /// A probe that is not answered in time, while tokens flow, says that the engine is busy: it
    /// weighs a step less.
    private static boolean excused(Observations seen) {
        return seen.probes().silent() && seen.progressing();
    }

    /// 5 s·2^(n−1), at most 300 s.
    static long ejection(int n, HealthConfig config) {
        long most = config.maxEjection().toNanos();
        double nanos = config.ejection().toNanos() * Math.pow(2, Math.max(0, n - 1));
        return nanos > most ? most : (long) nanos;
    }

    /// What speaks against a full share, each with its number; thresholds times `factor`.
    private static List<String> signals(Observations seen, HealthConfig config, double factor) {
        var out = new ArrayList<String>();
        Recent recent = seen.recent();
        if (enough(seen) && recent.errorRate() >= 0.05 * factor) {
            out.add("error rate " + percent(recent.errorRate()));
        }
        Double ttft = recent.ttftNanos();
        Double peers = seen.peerTtftNanos();
        if (ttft != null
                && peers != null
                && ttft >= 3 * factor * peers
                && ttft >= peers + 500e6 * factor) {
            out.add("TTFT " + millis(ttft) + " against the pool's " + millis(peers));
        }
        Double gap = recent.nanosPerToken();
        Double peerGap = seen.peerTokenNanos();
        if (gap != null && peerGap != null && peerGap > 0 && gap >= 3 * factor * peerGap) {
            out.add("ITL " + millis(gap) + " against the pool's " + millis(peerGap));
        }
        if (seen.load() != null) {
            engine(seen.load(), factor, out);
        }
        if (seen.preemptionsPerSecond() >= factor) {
            out.add(String.format(Locale.ROOT, "%.1f preemptions/s", seen.preemptionsPerSecond()));
        }
        if (seen.stale()) {
            out.add("metrics older than " + config.staleness().toMillis() + "ms");
        }
        if (seen.probes().failures() >= (excused(seen) ? OUT_PROBES : 1)) {
            out.add("failed probe: " + seen.probes().last());
        }
        if (seen.cooling()) {
            out.add("asked for a pause (429 or 503)");
        }
        if (seen.failuresInARow() >= 5) {
            out.add(seen.failuresInARow() + " failures in a row, kept: half of the pool is out");
        }
        return out;
    }

    private static void engine(EngineLoad load, double factor, List<String> out) {
        Double kv = load.kvUsage();
        if (kv != null && kv >= 0.9 * factor) {
            out.add("KV cache " + percent(kv) + " full");
        }
        Double waiting = load.waiting();
        Double running = load.running();
        if (waiting != null
                && waiting >= 5 * factor
                && (running == null || waiting >= running / 4 * factor)) {
            out.add(Math.round(waiting) + " waiting in the engine");
        }
    }

    private static boolean enough(Observations seen) {
        return seen.recent().requests() >= MIN_REQUESTS;
    }

    /// Half a share for one signal, a quarter for more.
    private static double weight(List<String> bad) {
        return bad.size() == 1 ? 0.5 : 0.25;
    }

    private static String text(List<String> bad) {
        return String.join(", ", bad);
    }

    private static String percent(double share) {
        return Math.round(share * 100) + "%";
    }

    private static String millis(double nanos) {
        return Math.round(nanos / 1e6) + "ms";
    }
}
