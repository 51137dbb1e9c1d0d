package dev.sluice.proxy.accounting;

import org.jspecify.annotations.Nullable;

import java.time.Instant;

/// The data port, as gauges read it. Any thread.
public interface DataPortView {
    /// Client connections now open.
    int connections();

    /// How many may be.
    int maxConnections();

    /// When the certificate that new connections get ends; null without TLS.
    @Nullable Instant certificateEnds();
}
