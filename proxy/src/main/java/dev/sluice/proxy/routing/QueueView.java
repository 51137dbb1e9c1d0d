package dev.sluice.proxy.routing;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/// A pool's queue at one moment.
///
/// @param waiting calls in it
/// @param held of those, the ones that wait while no endpoint could serve them
/// @param oldest how long the first has waited; zero when none waits
/// @param arrivals calls that ever asked for this pool, queued or not
/// @param predictedWait of a call arriving now; null before any was measured
public record QueueView(
        int waiting, int held, Duration oldest, long arrivals, @Nullable Duration predictedWait) {}
