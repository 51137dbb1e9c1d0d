package dev.sluice.proxy;

import dev.sluice.proxy.accounting.ReloadMeters;
import dev.sluice.proxy.accounting.ReloadMeters.Result;
import dev.sluice.proxy.admin.ConfigDiff;
import dev.sluice.proxy.admin.ConfigDiff.Change;
import dev.sluice.proxy.admin.Configuration;
import dev.sluice.shared.ConfigException;
import dev.sluice.shared.ConfigProblem;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/// Takes over what a configuration changes while the proxy runs: read, compare, swap. What is wrong
/// changes nothing; what cannot change while the process runs is left as it is, and named.
final class Reload implements Configuration {
    private static final Logger log = LoggerFactory.getLogger(Reload.class);
    private static final int MOST_LOGGED = 20;

    private final @Nullable ConfigFile file;
    private final Consumer<ProxyConfig> use;
    private final ReloadMeters meters;
    private final LongSupplier wallClock;
    private volatile ProxyConfig effective;
    private volatile @Nullable Last last;

    /// @param file null when the proxy was told by flags alone
    /// @param use puts a configuration to work; blocks until it is
    Reload(
            ProxyConfig effective,
            @Nullable ConfigFile file,
            Consumer<ProxyConfig> use,
            ReloadMeters meters,
            LongSupplier wallClock) {
        this.effective = effective;
        this.file = file;
        this.use = use;
        this.meters = meters;
        this.wallClock = wallClock;
    }

    @Override
    public ProxyConfig effective() {
        return effective;
    }

    @Override
    public @Nullable Last last() {
        return last;
    }

    @Override
    public synchronized Reloaded reload(String by) {
        Reloaded done = applied();
        tell(done, by);
        long now = wallClock.getAsLong();
        meters.ended(done.result(), now);
        last = new Last(done, by, now);
        return done;
    }

    private Reloaded applied() {
        ConfigFile from = file;
        if (from == null) {
            return rejected(noFile());
        }
        try {
            ProxyConfig next = from.read();
            Reloaded planned = compared(next);
            if (planned.result() == Result.APPLIED) {
                ProxyConfig target = effective.reloaded(next);
                use.accept(target);
                effective = target;
            }
            return planned;
        } catch (ConfigException e) {
            return rejected(e.problems());
        } catch (RuntimeException e) {
            log.error("a configuration that was read could not be applied", e);
            return rejected(
                    List.of(new ConfigProblem("", 0, "could not be applied: " + e, "see the log")));
        }
    }

    @Override
    public Reloaded check(@Nullable String yaml) {
        ConfigFile from = file;
        if (from == null) {
            return rejected(noFile());
        }
        try {
            return compared(yaml == null ? from.read() : from.parse(yaml));
        } catch (ConfigException e) {
            return rejected(e.problems());
        }
    }

    private Reloaded compared(ProxyConfig next) {
        ProxyConfig now = effective;
        ProxyConfig target = now.reloaded(next);
        List<Change> changes = ConfigDiff.between(now, target);
        List<Change> needRestart = ConfigDiff.between(target, next);
        Result result =
                !changes.isEmpty()
                        ? Result.APPLIED
                        : needRestart.isEmpty() ? Result.UNCHANGED : Result.NEEDS_RESTART;
        return new Reloaded(result, changes, needRestart, List.of());
    }

    private static Reloaded rejected(List<ConfigProblem> problems) {
        return new Reloaded(Result.REJECTED, List.of(), List.of(), problems);
    }

    private static List<ConfigProblem> noFile() {
        return List.of(
                new ConfigProblem(
                        "",
                        0,
                        "the proxy was started without a file",
                        "start it with --config FILE"));
    }

    private void tell(Reloaded done, String by) {
        switch (done.result()) {
            case APPLIED ->
                    log.info("configuration {} reloaded ({}): {}", file, by, text(done.changes()));
            case UNCHANGED -> log.info("configuration {} reloaded ({}): no change", file, by);
            case NEEDS_RESTART -> {}
            case REJECTED ->
                    log.error(
                            "configuration {} not reloaded ({}), what ran before runs on:\n{}",
                            file,
                            by,
                            done.problems().stream()
                                    .map(problem -> "  " + problem)
                                    .collect(Collectors.joining("\n")));
        }
        if (!done.needRestart().isEmpty()) {
            log.warn(
                    "configuration {} ({}): takes effect at the next start only: {}",
                    file,
                    by,
                    text(done.needRestart()));
        }
    }

    private static String text(List<Change> changes) {
        String first =
                changes.stream()
                        .limit(MOST_LOGGED)
                        .map(change -> change.path() + " " + change.change())
                        .collect(Collectors.joining(", "));
        int more = changes.size() - MOST_LOGGED;
        return more > 0 ? first + " and " + more + " more" : first;
    }
}
