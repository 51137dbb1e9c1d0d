package dev.sluice.proxy.admin;

import dev.sluice.shared.ScalingStatus;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/// What autoscalers said last, by pool.
final class Scaling {
    /// Pools are few; whoever makes up names fills no memory.
    private static final int MOST = 100;

    private final Map<String, ScalingStatus> latest = new ConcurrentSkipListMap<>();

    /// @return false when too many pools are known already
    boolean heard(ScalingStatus status) {
        if (latest.size() >= MOST && !latest.containsKey(status.pool())) {
            return false;
        }
        latest.put(status.pool(), status);
        return true;
    }

    List<ScalingStatus> all() {
        return List.copyOf(latest.values());
    }
}
