package dev.sluice.autoscaler.target;

import dev.sluice.autoscaler.signal.Condition;
import dev.sluice.autoscaler.signal.ProxyReport;
import dev.sluice.autoscaler.signal.Replicas;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// Something that has replicas. Called by one thread; each call may block for about a second.
public interface Target {

    /// For people: what is scaled.
    String name();

    /// What stands in the way of looking and acting now, as a target that does not exist; null when
    /// nothing does. Asked before each look; while it is not null nothing else is called.
    default @Nullable Condition obstacle(long nowMs) throws InterruptedException {
        return null;
    }

    /// What exists now. Changes nothing outside.
    ///
    /// @param reports of the proxies, as fresh as they come
    Replicas look(List<ProxyReport> reports, long nowMs) throws InterruptedException;

    /// Goes on with what is under way: announces replicas that became ready, takes away those that
    /// have drained, starts crashed ones again. Does nothing when nothing is.
    void carryOn(List<ProxyReport> reports, long nowMs) throws InterruptedException;

    /// Asks for this many replicas and returns; {@link #carryOn} brings it about.
    void scaleTo(int replicas, long nowMs) throws InterruptedException;

    /// Ends, with its replicas or without them, as configured.
    void close() throws InterruptedException;
}
