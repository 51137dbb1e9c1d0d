package dev.sluice.simulator.evaluation;

import dev.sluice.autoscaler.signal.Replicas.State;

import java.util.ArrayDeque;

/// One modelled replica with its life around the engine.
final class Node {
    private static final double RECENT_MS = 10_000;

    final String id;
    final double bornMs;
    State state = State.STARTING;

    /// When it was asked for while it starts, else when it entered the state.
    double sinceMs;

    double readyAtMs;
    double crashAtMs = Double.POSITIVE_INFINITY;
    double killAtMs = Double.POSITIVE_INFINITY;
    FastReplica engine;
    int inFlight;

    /// Of the last second.
    double cpuBusy;

    double cpuLoad;
    private double busyBefore;
    private double loadBefore;

    private record Stream(double atMs, double perTokenMs, int tokens) {}

    private final ArrayDeque<Stream> recent = new ArrayDeque<>();

    Node(String id, double nowMs, FastReplica engine) {
        this.id = id;
        this.bornMs = nowMs;
        this.sinceMs = nowMs;
        this.engine = engine;
    }

    void ended(double nowMs, double perTokenMs, int tokens) {
        recent.addLast(new Stream(nowMs, perTokenMs, tokens));
    }

    /// Mean time per token of the streams of the last 10 s; NaN without any.
    double perTokenMs(double nowMs) {
        while (!recent.isEmpty() && recent.getFirst().atMs < nowMs - RECENT_MS) {
            recent.removeFirst();
        }
        double ms = 0;
        double tokens = 0;
        for (Stream s : recent) {
            ms += s.perTokenMs * s.tokens;
            tokens += s.tokens;
        }
        return ms / tokens;
    }

    void sampleCpu(double nowMs) {
        engine.advance(nowMs);
        cpuBusy = (engine.busyMs() - busyBefore) / 1000;
        cpuLoad = (engine.loadMs() - loadBefore) / 1000;
        busyBefore = engine.busyMs();
        loadBefore = engine.loadMs();
    }

    /// A crash: the process begins anew.
    void restart(double nowMs, double coldMs, FastReplica fresh) {
        state = State.STARTING;
        sinceMs = nowMs;
        readyAtMs = nowMs + coldMs;
        crashAtMs = Double.POSITIVE_INFINITY;
        engine = fresh;
        inFlight = 0;
        busyBefore = 0;
        loadBefore = 0;
        recent.clear();
    }
}
