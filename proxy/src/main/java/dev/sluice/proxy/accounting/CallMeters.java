package dev.sluice.proxy.accounting;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.response.Outcome;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiPredicate;

/// Counts every call at its end, on its event loop: some 20 adders, found without building a label
/// or a key; {@link CallCollector} gives them names and labels at a scrape. Why not Micrometer's
/// timers: docs/decisions/0006-call-meters.md.
public final class CallMeters implements CallObserver {
    /// Bound on the words of reasons, which come from the pickers.
    private static final int MOST_PICKS = 64;

    final Map<String, PoolMeters> pools = new ConcurrentHashMap<>();
    final List<Picks> picks = new CopyOnWriteArrayList<>();
    private final Map<AttemptResult, LongAdder> attempts = Adders.of(AttemptResult.class);
    private final Map<Outcome.Phase, LongAdder> cancelled = Adders.of(Outcome.Phase.class);
    private final BiPredicate<String, String> serves;

    /// How often a policy picked for a reason.
    ///
    /// @param words how the reason begins: `least_loaded load`
    record Picks(String words, LongAdder count) {
        String policy() {
            int space = words.indexOf(' ');
            return space < 0 ? words : words.substring(0, space);
        }

        String reason() {
            int space = words.indexOf(' ');
            return space < 0 ? "" : words.substring(space + 1);
        }

        boolean fits(String reason) {
            int end = words.length();
            return reason.startsWith(words)
                    && (reason.length() == end
                            || reason.charAt(end) == '='
                            || reason.charAt(end) == ' ');
        }
    }

    /// @param serves whether a pool serves a model, so that its name may stand in a label
    public CallMeters(BiPredicate<String, String> serves) {
        this.serves = serves;
    }

    @Override
    public void ended(CallRecord call) {
        pool(call.pool()).count(call);
        if (call.outcome() instanceof Outcome.Cancelled(Outcome.Phase phase)) {
            Adders.get(cancelled, phase).increment();
        }
        List<CallRecord.Attempt> made = call.attempts();
        for (int i = 0; i < made.size(); i++) {
            Adders.get(attempts, made.get(i).result()).increment();
            picked(made.get(i).reason()).increment();
        }
    }

    long attempts(AttemptResult result) {
        return Adders.get(attempts, result).sum();
    }

    long cancelled(Outcome.Phase phase) {
        return Adders.get(cancelled, phase).sum();
    }

    PoolMeters pool(String name) {
        PoolMeters meters = pools.get(name);
        return meters != null
                ? meters
                : pools.computeIfAbsent(
                        name, pool -> new PoolMeters(model -> serves.test(pool, model)));
    }

    private LongAdder picked(String reason) {
        for (int i = 0; i < picks.size(); i++) {
            if (picks.get(i).fits(reason)) {
                return picks.get(i).count();
            }
        }
        return firstPicked(reason);
    }

    private synchronized LongAdder firstPicked(String reason) {
        String words = picks.size() < MOST_PICKS ? words(reason) : "other";
        for (Picks known : picks) {
            if (known.words().equals(words)) {
                return known.count();
            }
        }
        var first = new Picks(words, new LongAdder());
        picks.add(first);
        return first.count();
    }

    /// The policy and the word after it, without figures: `least_loaded load`.
    private static String words(String reason) {
        int space = reason.indexOf(' ');
        int end = space < 0 ? reason.length() : space + 1;
        while (end < reason.length() && reason.charAt(end) != '=' && reason.charAt(end) != ' ') {
            end++;
        }
        return reason.substring(0, end);
    }
}
