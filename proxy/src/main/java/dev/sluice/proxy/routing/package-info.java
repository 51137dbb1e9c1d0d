/// Which pool, and which of its endpoints; and the queue of calls that wait for one.
///
/// In: a request's model ({@link dev.sluice.proxy.routing.Router}), then a {@link
/// dev.sluice.proxy.routing.Waiter}. Out: a slot or a refusal, on the waiter's own loop.
///
/// - `Dispatcher`, one for each pool: grants at once or queues; `Ticket`, `DrainRate`,
///   `RetryBudget`, `QueueView`.
/// - `Picker`, one for each policy (`RoundRobin`, `Weighted`, `LeastLoaded`, `Latency`), over the
///   common filter `Candidates`; a `Choice` says why.
///
/// Any event loop, without locks; the control thread sweeps the queues every 100 ms.
@NullMarked
package dev.sluice.proxy.routing;

import org.jspecify.annotations.NullMarked;
