package dev.sluice.proxy.routing;

import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.Snapshot;
import dev.sluice.proxy.request.InferenceRequest;

import java.util.List;

/// A policy: which endpoint of a pool serves a call.
///
/// Any thread, without locks and without allocation beyond the choice. It asks {@link Candidates}
/// who may be picked and only ranks those.
@FunctionalInterface
public interface Picker {
    Choice pick(Snapshot snapshot, InferenceRequest request, List<Endpoint> tried, long nowNanos);
}
