package dev.sluice.proxy.accounting;

/// Learns of each call once, at its end. Called on the call's event loop: never blocks.
@FunctionalInterface
public interface CallObserver {
    void ended(CallRecord call);
}
