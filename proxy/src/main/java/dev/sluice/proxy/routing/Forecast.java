package dev.sluice.proxy.routing;

import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Policy;
import dev.sluice.proxy.pool.Snapshot;
import dev.sluice.proxy.routing.Choice.Because;
import dev.sluice.proxy.routing.Choice.Chosen;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// What a pool would do with a call now: how each endpoint stands, and where the call would go. For
/// people who ask why; it costs up to some milliseconds.
///
/// Shares are counted, not derived: the pool's policy picks {@value #PICKS} times from this
/// snapshot, by the code that picks for calls, with a turn of its own.
///
/// @param standings of all members
/// @param nobody why nobody would be picked; null when somebody would
public record Forecast(Policy policy, List<Standing> standings, @Nullable Because nobody) {
    private static final int PICKS = 1_000;

    /// How an endpoint stands.
    ///
    /// @param leftOut why it cannot be picked; null when it can
    /// @param load what the call would queue behind there
    /// @param score what the policy compares, see {@link #rule}; null where it compares nothing, or
    ///   knows too little
    /// @param share of calls that would go there now, 0 to 1
    public record Standing(
            Member member,
            @Nullable LeftOut leftOut,
            double load,
            @Nullable Double score,
            double share) {}

    /// @param reason `model`, `state`, `unresolved`, `busy`, `trial` or `cooling`
    /// @param detail the same for a person, with the numbers
    public record LeftOut(String reason, String detail) {}

    /// @param pick picks from the same snapshot, again and again
    static Forecast of(
            Snapshot snapshot, Policy policy, String model, Supplier<Choice> pick, long nowNanos) {
        Map<String, Integer> picked = new HashMap<>();
        Because nobody = null;
        for (int i = 0; i < PICKS; i++) {
            switch (pick.get()) {
                case Chosen chosen ->
                        picked.merge(chosen.member().endpoint().id(), 1, Integer::sum);
                case Choice.None(Because because) -> nobody = because;
            }
        }
        List<Standing> standings =
                snapshot.members().stream()
                        .map(
                                member ->
                                        new Standing(
                                                member,
                                                leftOut(snapshot, member, model, nowNanos),
                                                member.endpoint().load(member.foreign(), nowNanos),
                                                score(policy, member, nowNanos),
                                                picked.getOrDefault(member.endpoint().id(), 0)
                                                        / (double) PICKS))
                        .toList();
        return new Forecast(policy, standings, nobody);
    }

    /// What decides, for a person.
    public String rule() {
        return switch (policy) {
            case ROUND_ROBIN -> "each in turn";
            case WEIGHTED -> "in turn, as often as the weights say";
            case LEAST_LOADED -> "the least (load + 1) / weight";
            case LATENCY ->
                    "of two at random the healthier, then the smaller time to first token (ms) ×"
                            + " (load + 1) / weight";
        };
    }

    private static @Nullable Double score(Policy policy, Member member, long nowNanos) {
        double ttft = member.endpoint().ttftNanos() / 1e6;
        return switch (policy) {
            case ROUND_ROBIN -> null;
            case WEIGHTED -> member.weight();
            case LEAST_LOADED ->
                    LeastLoaded.score(member.endpoint().load(member.foreign(), nowNanos), member);
            case LATENCY -> ttft <= 0 ? null : Latency.cost(member, ttft, nowNanos);
        };
    }

    /// In the order of {@link Candidates}.
    private static @Nullable LeftOut leftOut(
            Snapshot snapshot, Member member, String model, long nowNanos) {
        if (snapshot.mixed() && !member.serves(model)) {
            return new LeftOut(
                    "model",
                    "serves "
                            + (member.models() == null ? "" : String.join(", ", member.models())));
        }
        if (member.use() == Member.Use.NONE) {
            return new LeftOut("state", member.health().label() + ": " + member.health().reason());
        }
        if (!contains(snapshot.usable(), member) && !contains(snapshot.trials(), member)) {
            return new LeftOut("unresolved", "its name has no address yet");
        }
        if (!member.free()) {
            return member.use() == Member.Use.TRIAL
                    ? new LeftOut("trial", "takes one call at a time to prove itself, and has it")
                    : new LeftOut(
                            "busy",
                            member.endpoint().inFlight() + " of " + member.cap() + " in flight");
        }
        return member.endpoint().cooling(nowNanos)
                ? new LeftOut("cooling", "it asked for a pause, which is not over")
                : null;
    }

    private static boolean contains(List<Member> members, Member member) {
        return members.stream().anyMatch(m -> m.endpoint().equals(member.endpoint()));
    }
}
