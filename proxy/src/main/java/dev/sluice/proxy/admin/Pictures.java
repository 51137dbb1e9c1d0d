package dev.sluice.proxy.admin;

import dev.sluice.proxy.accounting.PoolView;
import dev.sluice.proxy.accounting.Pulse.Beat;
import dev.sluice.shared.LoadReport;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// Makes what the page draws. Any thread.
///
/// @param load the load of now
/// @param cpu see {@link Strain}
record Pictures(Admin.Shown shown, Supplier<LoadReport> load, Scaling scaling, Strain.Cpu cpu) {
    private static final int LINES = 40;

    /// Long enough that a burst of failures is seen, short enough to be now.
    private static final int LATELY = 10;

    Live.Picture now() {
        LoadReport report = load.get();
        Readiness ready = Readiness.of(!report.ready(), shown.pools());
        var pools = new ArrayList<Live.PoolPicture>();
        for (LoadReport.PoolLoad pool : report.pools()) {
            pools.add(pool(pool));
        }
        return new Live.Picture(
                        report.timeMs(),
                        (report.timeMs() - report.startedMs()) / 1_000,
                        shown.version(),
                        ready.ready(),
                        ready.reason(),
                        pools,
                        scaling.all(),
                        Strain.of(shown.accounting(), cpu.share()),
                        Live.ReloadPicture.of(shown.configuration().last()),
                        shown.accounting().ring().newest(LINES, _ -> true).stream()
                                .map(call -> Live.CallLine.of(CallView.of(call)))
                                .toList(),
                        List.of())
                .withFindings();
    }

    /// The last minutes of each pool.
    Map<String, List<Beat>> history() {
        var out = new LinkedHashMap<String, List<Beat>>();
        for (PoolView view : shown.pools()) {
            out.put(view.pool().name(), beats(view.pool().name()));
        }
        return out;
    }

    List<EndpointView> endpoints(LoadReport.PoolLoad load) {
        for (PoolView view : shown.pools()) {
            if (view.pool().name().equals(load.pool())) {
                return EndpointView.of(load, view.pool().snapshot().members());
            }
        }
        return List.of();
    }

    private Live.PoolPicture pool(LoadReport.PoolLoad load) {
        List<Beat> beats = beats(load.pool());
        return new Live.PoolPicture(
                load.pool(),
                policy(load.pool()),
                load.models(),
                load.slots(),
                load.held(),
                load.oldestQueuedMs(),
                load.predictedWaitMs(),
                beats.isEmpty() ? null : beats.getLast(),
                lately(beats),
                endpoints(load));
    }

    /// Null before the first beat.
    private static Live.@Nullable Lately lately(List<Beat> beats) {
        List<Beat> last = beats.subList(Math.max(0, beats.size() - LATELY), beats.size());
        return last.isEmpty()
                ? null
                : new Live.Lately(
                        last.size(),
                        last.stream().mapToDouble(Beat::callsPerSecond).sum(),
                        last.stream().mapToDouble(Beat::failuresPerSecond).sum(),
                        last.stream().mapToDouble(Beat::refusalsPerSecond).sum());
    }

    private List<Beat> beats(String pool) {
        return shown.accounting().pulse().of(pool).beats();
    }

    private String policy(String pool) {
        return shown.pools().stream()
                .filter(p -> p.pool().name().equals(pool))
                .map(p -> p.pool().config().policy().label())
                .findFirst()
                .orElse("");
    }
}
