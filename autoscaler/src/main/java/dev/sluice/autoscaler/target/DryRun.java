package dev.sluice.autoscaler.target;

import dev.sluice.autoscaler.signal.Condition;
import dev.sluice.autoscaler.signal.ProxyReport;
import dev.sluice.autoscaler.signal.Replicas;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// A target that is looked at and never touched: decisions are told and not carried out.
public record DryRun(Target target) implements Target {

    @Override
    public String name() {
        return target.name();
    }

    @Override
    public @Nullable Condition obstacle(long nowMs) throws InterruptedException {
        return target.obstacle(nowMs);
    }

    @Override
    public Replicas look(List<ProxyReport> reports, long nowMs) throws InterruptedException {
        return target.look(reports, nowMs);
    }

    @Override
    public void carryOn(List<ProxyReport> reports, long nowMs) {
        // nothing is under way
    }

    @Override
    public void scaleTo(int replicas, long nowMs) {
        // the decision was told
    }

    @Override
    public void close() {
        // what runs was there before
    }
}
