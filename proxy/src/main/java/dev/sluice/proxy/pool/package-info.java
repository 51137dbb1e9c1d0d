/// Who can serve: endpoints, their health, their capacity.
///
/// In: probe answers, scrapes, how exchanges ended, orders of the admin API. Out: one immutable
/// {@link dev.sluice.proxy.pool.Snapshot} for each pool behind a volatile write, and {@link
/// dev.sluice.proxy.pool.Slot}s.
///
/// - Configuration: `PoolConfig`, `EndpointConfig`, `EndpointUrl`, `HealthConfig`, `QueueConfig`.
/// - Any thread: `Pool`, `Endpoint` (atomic counts, `Phantom`, `PeakEwma`), `Slot`, `Snapshot`,
///   `Member`.
/// - The control thread: `PoolControl` (inbox, beat), `Roster` (a pool), `Watch` (an endpoint),
///   `Window` (its last 10 s).
/// - Pure: `HealthRules`, (state, `Observations`, now) to `HealthState`.
/// - Virtual threads, blocking: `Inspector` over `EngineClient`.
@NullMarked
package dev.sluice.proxy.pool;

import org.jspecify.annotations.NullMarked;
