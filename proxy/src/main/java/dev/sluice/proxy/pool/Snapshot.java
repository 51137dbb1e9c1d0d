package dev.sluice.proxy.pool;

import java.util.List;
import java.util.Set;

/// A pool as the control thread sees it: immutable, published behind one volatile write.
///
/// @param pool its name
/// @param members all endpoints, in the order they were added
/// @param usable those of `members` that may be picked at all (admin state, health, resolved
///   address), in the same order; what remains to be asked at a pick changes from call to call
/// @param trials those that take one exchange at a time to prove themselves; never in `usable`
/// @param models what the pool serves: configured, else learned; in the order first seen
/// @param mixed whether members serve different models, so that a pick has to ask
public record Snapshot(
        String pool,
        List<Member> members,
        List<Member> usable,
        List<Member> trials,
        Set<String> models,
        boolean mixed) {

    /// Members not draining: what exists for the queue's purposes.
    public int active() {
        int n = 0;
        for (Member member : members) {
            n += member.health() instanceof HealthState.Draining ? 0 : 1;
        }
        return n;
    }
}
