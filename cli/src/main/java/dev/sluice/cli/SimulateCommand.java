package dev.sluice.cli;

import dev.sluice.simulator.Simulator;
import dev.sluice.simulator.SimulatorConfig;
import dev.sluice.simulator.replica.ReplicaModel;
import dev.sluice.simulator.server.Faults;

import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;

/// `simulate`: one modelled replica until it is stopped.
@Command(
        name = "simulate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        header = "Runs one modelled replica: no GPU, no model.",
        description = {
            "",
            "OpenAI API with streaming, vLLM's paths and metric names, continuous batching,",
            "KV and prefix cache, faults on request.",
            ""
        },
        footer = {
            "",
            "Faults, each a --fail: error=0.1, status=503:0.2, slow=8, hang, stall=0.05,"
                    + " reset=0.05,",
            "  close, truncate, garbage, refuse, unhealthy, crash-after=30s. POST /sim/faults"
                    + " changes",
            "  them while it runs.",
            "",
            "Examples:",
            "  sluice simulate --port 8000",
            "  sluice simulate --port 8001 --ttft 200ms --itl 20ms --slots 8 --fail error=0.05",
            "  curl -N localhost:8000/v1/chat/completions -d '{\"model\":\"sim\",\"stream\":true,",
            "       \"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'"
        })
final class SimulateCommand implements Callable<Integer> {
    private final Console console;

    @Option(
            names = "--port",
            required = true,
            paramLabel = "P",
            description = "Port to listen on; 0 takes a free one.")
    private int port;

    @Option(
            names = "--host",
            paramLabel = "H",
            defaultValue = "127.0.0.1",
            description = "Address to listen on (default ${DEFAULT-VALUE}).")
    private String host = "";

    @Option(
            names = "--model",
            paramLabel = "NAME",
            defaultValue = "sim",
            description = "Model name to answer to (default ${DEFAULT-VALUE}).")
    private String model = "";

    @Option(
            names = "--profile",
            paramLabel = "NAME",
            defaultValue = "mid",
            description = "Speed and size to start from: l4, mid or h100x8-70b (default mid).")
    private String profile = "";

    @Option(
            names = "--ttft",
            paramLabel = "TIME",
            description = "Time to the first token of a lone short prompt, as 200ms.")
    private @Nullable Duration ttft;

    @Option(
            names = "--itl",
            paramLabel = "TIME",
            description = "Time between tokens of a lone sequence, as 20ms.")
    private @Nullable Duration itl;

    @Option(names = "--slots", paramLabel = "N", description = "Sequences that run at once.")
    private @Nullable Integer slots;

    @Option(
            names = "--kv-blocks",
            paramLabel = "N",
            description = "Size of the KV cache in blocks of 16 tokens.")
    private @Nullable Integer kvBlocks;

    @Option(
            names = "--prefill-rate",
            paramLabel = "N",
            description = "Prompt tokens read in a second.")
    private @Nullable Double prefillRate;

    @Option(
            names = "--cold-start",
            paramLabel = "TIME",
            defaultValue = "0",
            description = "Time until it is ready, as while a model loads (default 0).")
    private Duration coldStart = Duration.ZERO;

    @Option(
            names = "--keep-alive",
            paramLabel = "TIME",
            defaultValue = "5s",
            description = "Closes idle connections after this time (default 5s, as vLLM).")
    private Duration keepAlive = Duration.ZERO;

    @Option(
            names = "--fail",
            paramLabel = "FAULT",
            description = "What goes wrong on purpose; may be repeated.")
    private List<String> faults = new ArrayList<>();

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of lengths, words and faults (default 1).")
    private long seed;

    @Option(
            names = "--child",
            description =
                    "Ends when standard input closes, that is with the program that started it, and"
                            + " leaves Ctrl-C to that program.")
    private boolean child;

    SimulateCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        SimulatorConfig config = config();
        try (Simulator simulator = Simulator.start(config)) {
            console.out()
                    .println(
                            simulator.url()
                                    + " simulates "
                                    + model
                                    + ": "
                                    + config.model().slots()
                                    + " slots, "
                                    + config.model().kvBlocks()
                                    + " KV blocks");
            return untilItEnds(simulator);
        } catch (IOException e) {
            throw CommandFailed.failed(String.valueOf(e.getMessage()));
        }
    }

    private int untilItEnds(Simulator simulator) throws InterruptedException {
        StopSignal stop = StopSignal.install();
        if (child) {
            Signals.register("INT", () -> {});
            Thread.ofVirtual().start(() -> endWithInput(stop));
        }
        var crashed = new AtomicBoolean();
        var _ =
                simulator
                        .ended()
                        .thenAccept(
                                ending -> {
                                    crashed.set(ending == Simulator.Ending.CRASHED);
                                    stop.ask();
                                });
        stop.await();
        if (crashed.get()) {
            throw CommandFailed.failed("crashed on purpose (--fail crash-after)");
        }
        return 0;
    }

    private static void endWithInput(StopSignal stop) {
        try {
            System.in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            // closed as well
        }
        stop.ask();
    }

    private SimulatorConfig config() {
        try {
            return new SimulatorConfig(
                    host, port, model, replica(), Faults.parse(faults), coldStart, keepAlive, seed);
        } catch (IllegalArgumentException e) {
            throw CommandFailed.badInput(String.valueOf(e.getMessage()));
        }
    }

    private ReplicaModel replica() {
        ReplicaModel replica = ReplicaModel.PROFILES.get(profile);
        if (replica == null) {
            throw CommandFailed.badInput(
                    "--profile "
                            + profile
                            + ": there are "
                            + String.join(", ", ReplicaModel.PROFILES.keySet()));
        }
        if (prefillRate != null) {
            replica = replica.withPrefillRate(prefillRate);
        }
        if (ttft != null) {
            replica = replica.withTtft(ttft);
        }
        if (itl != null) {
            replica = replica.withItl(itl);
        }
        if (slots != null) {
            replica = replica.withSlots(slots);
        }
        return kvBlocks == null ? replica : replica.withKvBlocks(kvBlocks);
    }
}
