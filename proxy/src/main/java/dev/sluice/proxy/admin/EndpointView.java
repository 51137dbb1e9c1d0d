package dev.sluice.proxy.admin;

import com.fasterxml.jackson.annotation.JsonUnwrapped;

import dev.sluice.proxy.pool.Member;
import dev.sluice.shared.LoadReport;
import dev.sluice.shared.LoadReport.EndpointLoad;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// An endpoint as the admin API shows it: what the load report says, and what people ask beyond.
///
/// @param use `full`, `degraded`, `trial` or `none`: whether it may be picked
/// @param weight as configured
/// @param effectiveWeight after slow start and health
/// @param engine its kind; null while unknown
/// @param models what it serves; null when it does not say
/// @param ttftMs peak-sensitive mean of the time to first token; null before any
record EndpointView(
        String pool,
        @JsonUnwrapped EndpointLoad load,
        String use,
        int weight,
        double effectiveWeight,
        @Nullable String engine,
        @Nullable String engineVersion,
        @Nullable List<String> models,
        @Nullable Double ttftMs,
        long outputTokensTotal) {

    /// @param members of the pool's snapshot; one that is not in the report any more or not yet is
    ///   left out
    static List<EndpointView> of(LoadReport.PoolLoad pool, List<Member> members) {
        var out = new ArrayList<EndpointView>();
        for (EndpointLoad load : pool.endpoints()) {
            for (Member member : members) {
                if (member.endpoint().id().equals(load.id())) {
                    out.add(of(pool.pool(), load, member));
                }
            }
        }
        return out;
    }

    private static EndpointView of(String pool, EndpointLoad load, Member member) {
        var engine = member.engine();
        var models = member.models();
        double ttft = member.endpoint().ttftNanos();
        return new EndpointView(
                pool,
                load,
                member.use().name().toLowerCase(Locale.ROOT),
                member.endpoint().weight(),
                member.weight(),
                engine == null ? null : engine.kind(),
                engine == null ? null : engine.version(),
                models == null ? null : List.copyOf(models),
                ttft <= 0 ? null : ttft / 1e6,
                member.endpoint().outputTokens());
    }
}
