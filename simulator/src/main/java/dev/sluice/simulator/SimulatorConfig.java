package dev.sluice.simulator;

import dev.sluice.simulator.replica.ReplicaModel;
import dev.sluice.simulator.server.Faults;

import java.time.Duration;
import java.util.Objects;

/// One simulated replica.
///
/// @param host address to bind
/// @param port port to bind, 0 for any free one
/// @param servedModel the model name that it answers to
/// @param model how fast it is and what fits into it
/// @param faults what goes wrong from the start
/// @param coldStart time from the start until `/health` is 200 and calls are served
/// @param keepAlive how long an idle connection stays open; uvicorn's 5 s, which proxies must
///   survive
/// @param seed of lengths, words and faults
public record SimulatorConfig(
        String host,
        int port,
        String servedModel,
        ReplicaModel model,
        Faults faults,
        Duration coldStart,
        Duration keepAlive,
        long seed) {

    /// A middling replica on any free port of the loopback, ready at once and without faults.
    public static SimulatorConfig defaults() {
        return new SimulatorConfig(
                "127.0.0.1",
                0,
                "sim",
                Objects.requireNonNull(ReplicaModel.PROFILES.get("mid")),
                Faults.NONE,
                Duration.ZERO,
                Duration.ofSeconds(5),
                1);
    }

    public SimulatorConfig withPort(int value) {
        return new SimulatorConfig(
                host, value, servedModel, model, faults, coldStart, keepAlive, seed);
    }

    public SimulatorConfig withServedModel(String value) {
        return new SimulatorConfig(host, port, value, model, faults, coldStart, keepAlive, seed);
    }

    public SimulatorConfig withModel(ReplicaModel value) {
        return new SimulatorConfig(
                host, port, servedModel, value, faults, coldStart, keepAlive, seed);
    }

    public SimulatorConfig withFaults(Faults value) {
        return new SimulatorConfig(
                host, port, servedModel, model, value, coldStart, keepAlive, seed);
    }

    public SimulatorConfig withColdStart(Duration value) {
        return new SimulatorConfig(host, port, servedModel, model, faults, value, keepAlive, seed);
    }

    public SimulatorConfig withKeepAlive(Duration value) {
        return new SimulatorConfig(host, port, servedModel, model, faults, coldStart, value, seed);
    }

    public SimulatorConfig withSeed(long value) {
        return new SimulatorConfig(
                host, port, servedModel, model, faults, coldStart, keepAlive, value);
    }
}
