package dev.sluice.proxy.routing;

import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Snapshot;
import dev.sluice.proxy.routing.Choice.Because;

import java.util.List;

/// Who may be picked: the filter common to all policies. Model -> admin state -> health -> cap ->
/// not already tried. Admin state and health are in {@link Snapshot#usable} already, the rest
/// changes from call to call.
final class Candidates {
    private Candidates() {}

    static boolean accepts(
            Snapshot snapshot, Member member, String model, List<Endpoint> tried, long nowNanos) {
        return (!snapshot.mixed() || member.serves(model))
                && member.free()
                && !member.endpoint().cooling(nowNanos)
                && (tried.isEmpty() || !tried.contains(member.endpoint()));
    }

    /// Why {@link #accepts} took nobody.
    static Because because(Snapshot snapshot, String model, List<Endpoint> tried) {
        if (snapshot.members().isEmpty()) {
            return Because.EMPTY;
        }
        if (snapshot.members().stream().noneMatch(m -> m.serves(model))) {
            return Because.MODEL;
        }
        List<Member> able = snapshot.usable().stream().filter(m -> m.serves(model)).toList();
        if (able.isEmpty()) {
            return Because.HEALTH;
        }
        return able.stream().allMatch(m -> tried.contains(m.endpoint()))
                ? Because.TRIED
                : Because.BUSY;
    }
}
