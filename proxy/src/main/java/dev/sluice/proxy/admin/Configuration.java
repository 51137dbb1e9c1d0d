package dev.sluice.proxy.admin;

import dev.sluice.proxy.accounting.ReloadMeters.Result;
import dev.sluice.proxy.admin.ConfigDiff.Change;
import dev.sluice.shared.ConfigProblem;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// The proxy's configuration as the admin port deals with it. Any thread; reloading blocks.
public interface Configuration {
    /// What runs: a record.
    Object effective();

    /// Reads the file again and takes over what can be.
    ///
    /// @param by who asked, for the log
    Reloaded reload(String by);

    /// Says what a reload would do, and does nothing.
    ///
    /// @param yaml a configuration; null: the file's
    Reloaded check(@Nullable String yaml);

    /// The last reload; null before the first.
    @Nullable Last last();

    /// How it went.
    ///
    /// @param changes what was taken over, or would be
    /// @param needRestart what was not, because it is fixed while the process runs
    /// @param problems why nothing was
    record Reloaded(
            Result result,
            List<Change> changes,
            List<Change> needRestart,
            List<ConfigProblem> problems) {}

    record Last(Reloaded reloaded, String by, long timeMs) {}
}
