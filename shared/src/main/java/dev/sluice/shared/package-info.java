/// What the proxy and the autoscaler both compile against: configuration loading, metric names, the
/// admin server, the load report and the readers of engine metrics. Flat and small: nothing here
/// knows either program.
@NullMarked
package dev.sluice.shared;

import org.jspecify.annotations.NullMarked;
