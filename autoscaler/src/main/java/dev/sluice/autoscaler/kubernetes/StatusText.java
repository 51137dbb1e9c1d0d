package dev.sluice.autoscaler.kubernetes;

import dev.sluice.autoscaler.kubernetes.ScalerStatus.LastDecision;
import dev.sluice.shared.ScalingStatus;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// Makes a resource's status from what the scaler said last. Pure.
public final class StatusText {
    /// Always there, true or false; others only while they hold.
    private static final List<String> ALWAYS =
            List.of("Limited", "SignalsStale", "TargetMissing", "Conflict");

    /// While one of these holds, the scaler does not do its work.
    private static final Set<String> HINDER =
            Set.of(
                    "SignalsStale",
                    "TargetMissing",
                    "Conflict",
                    "Forbidden",
                    "ApiUnavailable",
                    "InvalidSpec",
                    "Paused");

    private StatusText() {}

    /// @param said null while the target was never seen
    /// @param extra what stands out beside it
    /// @param before the status written last; its transition times live on; null for none
    public static ScalerStatus of(
            @Nullable ScalingStatus said,
            List<dev.sluice.autoscaler.signal.Condition> extra,
            long generation,
            @Nullable ScalerStatus before,
            Instant now) {
        var holding = new LinkedHashMap<String, String>();
        extra.forEach(c -> holding.put(c.type(), c.message()));
        if (said != null) {
            said.conditions().forEach(c -> holding.putIfAbsent(c.type(), c.message()));
        }
        List<String> hindered = holding.keySet().stream().filter(HINDER::contains).toList();
        var conditions = new ArrayList<Condition>();
        conditions.add(
                hindered.isEmpty()
                        ? condition("Ready", "True", "Scaling", "looks, decides and acts")
                        : condition(
                                "Ready",
                                "False",
                                hindered.getFirst(),
                                String.valueOf(holding.get(hindered.getFirst()))));
        for (String type : ALWAYS) {
            if (!holding.containsKey(type)) {
                conditions.add(condition(type, "False", "No" + type, ""));
            }
        }
        holding.forEach((type, why) -> conditions.add(condition(type, "True", type, why)));
        List<Condition> dated =
                conditions.stream().map(c -> dated(c, generation, before, now)).toList();
        ScalingStatus.Decision last =
                said == null || said.decisions().isEmpty() ? null : said.decisions().getFirst();
        return new ScalerStatus(
                generation,
                said == null ? null : said.desired(),
                said == null ? null : said.current(),
                said == null ? null : said.ready(),
                said == null ? null : said.starting(),
                said == null ? null : said.draining(),
                extra.isEmpty() ? said == null ? null : said.reason() : extra.getFirst().type(),
                last == null ? before == null ? null : before.lastDecision() : decision(last),
                dated);
    }

    /// Whether they say the same to a person: numbers, words, conditions; not their sentences,
    /// whose figures move all the time.
    public static boolean same(@Nullable ScalerStatus a, ScalerStatus b) {
        return a != null
                && Objects.equals(a.observedGeneration(), b.observedGeneration())
                && Objects.equals(a.desired(), b.desired())
                && Objects.equals(a.current(), b.current())
                && Objects.equals(a.ready(), b.ready())
                && Objects.equals(a.starting(), b.starting())
                && Objects.equals(a.draining(), b.draining())
                && Objects.equals(a.reason(), b.reason())
                && Objects.equals(a.lastDecision(), b.lastDecision())
                && words(a).equals(words(b));
    }

    /// The types of those that hold, without Ready, with their sentences.
    public static Map<String, String> holding(@Nullable ScalerStatus status) {
        var out = new LinkedHashMap<String, String>();
        if (status != null && status.conditions() != null) {
            for (Condition c : status.conditions()) {
                if ("True".equals(c.getStatus()) && !"Ready".equals(c.getType())) {
                    out.put(c.getType(), c.getMessage());
                }
            }
        }
        return out;
    }

    private static List<String> words(ScalerStatus s) {
        return s.conditions() == null
                ? List.of()
                : s.conditions().stream().map(c -> c.getType() + c.getStatus()).sorted().toList();
    }

    private static Condition dated(
            Condition c, long generation, @Nullable ScalerStatus before, Instant now) {
        String since = now.truncatedTo(ChronoUnit.SECONDS).toString();
        if (before != null && before.conditions() != null) {
            for (Condition old : before.conditions()) {
                boolean same =
                        old.getType().equals(c.getType()) && old.getStatus().equals(c.getStatus());
                since = same ? old.getLastTransitionTime() : since;
            }
        }
        return new ConditionBuilder(c)
                .withObservedGeneration(generation)
                .withLastTransitionTime(since)
                .build();
    }

    private static Condition condition(String type, String status, String reason, String message) {
        return new ConditionBuilder()
                .withType(type)
                .withStatus(status)
                .withReason(reason)
                .withMessage(message)
                .build();
    }

    private static LastDecision decision(ScalingStatus.Decision d) {
        return new LastDecision(
                Instant.ofEpochMilli(d.timeMs()).truncatedTo(ChronoUnit.SECONDS).toString(),
                d.replicas(),
                d.reason(),
                d.message(),
                d.terms());
    }
}
