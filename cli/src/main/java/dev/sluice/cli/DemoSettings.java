package dev.sluice.cli;

import dev.sluice.autoscaler.AutoscalerConfig;
import dev.sluice.proxy.ProxyConfig;
import dev.sluice.shared.AdminConfig;
import dev.sluice.shared.ConfigSource;
import dev.sluice.shared.Units;
import dev.sluice.simulator.trace.TraceCall;
import dev.sluice.simulator.trace.Workload;
import dev.sluice.simulator.trace.Workload.Lengths;

import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// What the demo tells its parts. The parts are the shipped ones; only their times are short, so
/// that a minute shows what otherwise takes an hour.
///
/// @param length of the load
/// @param listen data port
/// @param admin admin port
/// @param folder for state and logs
record DemoSettings(Duration length, InetSocketAddress listen, AdminConfig admin, Path folder) {
    static final int MIN = 2;
    static final int MAX = 5;
    static final String MODEL = "demo-8b";

    /// Sequences of one replica; with 20 ms a token and 60 tokens a call, some 5 calls a second.
    private static final int SLOTS = 8;

    private static final Duration DRAIN = Duration.ofSeconds(20);

    /// A replica goes when it was not needed for this long.
    Duration window() {
        return Duration.ofSeconds(Math.max(3, length.toSeconds() / 10));
    }

    /// Over which the work is averaged.
    private Duration mean() {
        return Duration.ofSeconds(Math.max(4, length.toSeconds() / 4));
    }

    ProxyConfig proxy() {
        String yaml =
                """
                pools:
                  - name: demo
                    models: [%s]
                    cap: %d
                    queue: {hold: true, depth: 2000}
                    health: {slow_start: 3s}
                server: {stop_after: 0s}
                drain_timeout: 10s
                """
                        .formatted(MODEL, SLOTS);
        return ConfigSource.parse("the demo", yaml, System::getenv, ProxyConfig::from)
                .at(listen, admin);
    }

    AutoscalerConfig autoscaler(URI proxyAdmin) {
        var command = new ArrayList<String>();
        replica().forEach(word -> command.add("'" + word.replace("'", "''") + "'"));
        String yaml =
                """
                interval: 1s
                state: '%s'
                scalers:
                  - pool: demo
                    min: %d
                    max: %d
                    target:
                      process: {command: [%s], ports: 18001-18099, grace: 3s}
                    proxies: {urls: ['%s']}
                    load: {slotsPerReplica: %d, spare: 1, mean: %s}
                    scaleDown: {window: %s, drain: %s}
                """
                        .formatted(
                                folder.toString().replace("'", "''"),
                                MIN,
                                MAX,
                                String.join(", ", command),
                                proxyAdmin,
                                SLOTS,
                                Units.show(mean()),
                                Units.show(window()),
                                Units.show(DRAIN));
        return ConfigSource.parse("the demo", yaml, System::getenv, AutoscalerConfig::from);
    }

    /// A process like `./sluice simulate`, which ends when this one does, however that happens.
    private static List<String> replica() {
        String java = ProcessHandle.current().info().command().orElse("java");
        return List.of(
                java,
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx96m",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "simulate",
                "--child",
                "--port",
                "{port}",
                "--model",
                MODEL,
                "--ttft",
                "80ms",
                "--itl",
                "20ms",
                "--slots",
                String.valueOf(SLOTS),
                "--cold-start",
                "1500ms");
    }

    /// Calls in bursts (the gaps of production traces vary more than those of a Poisson process): a
    /// wave over the first half that needs all replicas at its height, then little to the end.
    List<TraceCall> calls() {
        Duration wave = length.multipliedBy(11).dividedBy(20);
        var calls = new ArrayList<>(workload(8, 0.7, wave, 7));
        for (TraceCall c : workload(2, 0, length.minus(wave), 8)) {
            calls.add(
                    new TraceCall(
                            c.arrival().plus(wave),
                            c.inputTokens(),
                            c.outputTokens(),
                            c.clientId(),
                            c.blocks()));
        }
        return calls;
    }

    private static List<TraceCall> workload(double rate, double depth, Duration length, long seed) {
        return new Workload(
                        rate,
                        1.6,
                        Lengths.of(180, 1500),
                        Lengths.of(60, 200),
                        length,
                        depth,
                        length,
                        seed)
                .calls();
    }
}
