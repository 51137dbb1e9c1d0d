package dev.sluice.cli;

import dev.sluice.simulator.replay.Replay;
import dev.sluice.simulator.replay.ReplayConfig;
import dev.sluice.simulator.replay.ReplayListener;
import dev.sluice.simulator.replay.ReplaySummary;
import dev.sluice.simulator.trace.TraceCall;

import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;

/// `replay`: makes the calls of a trace, each at its time, and tells what became of them.
@Command(
        name = "replay",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        header = "Replays a trace against an OpenAI-compatible server.",
        description = {
            "",
            "Open loop: each call begins at its time in the trace, whatever the others do, and",
            "every latency counts from that moment. A trace is CSV, plain or .gz, with the columns",
            "arrival_offset_ms,input_tokens,output_tokens.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sluice replay --trace conv.csv.gz --target http://127.0.0.1:8080 --speed 20",
            "  sluice replay --trace conv.csv.gz --target http://127.0.0.1:8080 --limit 500 --json"
                    + " out.json"
        })
final class ReplayCommand implements Callable<Integer> {
    private static final Duration LINE_EVERY = Duration.ofSeconds(5);

    private final Console console;

    @Mixin private final TraceOption trace = new TraceOption();

    @Option(
            names = "--target",
            required = true,
            paramLabel = "URL",
            description = "Base URL of the server, with or without /v1.")
    private URI target = URI.create("");

    @Option(
            names = "--speed",
            paramLabel = "X",
            defaultValue = "1",
            description = "How many times faster than the trace (default 1).")
    private double speed;

    @Option(names = "--limit", paramLabel = "N", description = "Makes only the first N calls.")
    private @Nullable Integer limit;

    @Option(
            names = "--model",
            paramLabel = "NAME",
            description = "Model to ask for (default: the first of /v1/models).")
    private @Nullable String model;

    @Option(
            names = "--key",
            paramLabel = "KEY",
            defaultValue = "${env:OPENAI_API_KEY}",
            description = "Bearer token (default: OPENAI_API_KEY).")
    private @Nullable String key;

    @Option(
            names = "--abort-share",
            paramLabel = "X",
            defaultValue = "0",
            description =
                    "Share of streams, 0 to 1, that the client leaves in the middle (default 0).")
    private double abortShare;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "10m",
            description = "Longest time for one call (default 10m).")
    private Duration timeout = Duration.ZERO;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of prompts and of who leaves (default 1).")
    private long seed;

    @Option(
            names = "--json",
            paramLabel = "OUT",
            description = "Also writes the summary to this file; - for standard output only.")
    private @Nullable String json;

    ReplayCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        List<TraceCall> calls = trace.read();
        ReplayConfig config = config();
        ReplaySummary summary;
        int total = Math.min(calls.size(), config.limit());
        StopSignal stop = StopSignal.install();
        try (Progress progress = progress(total)) {
            Replay replay = Replay.start(config, calls, progress);
            Thread.ofVirtual().start(() -> stopOnSignal(replay, stop));
            summary = replay.await();
        } catch (IOException e) {
            throw CommandFailed.failed("--target " + target + ": " + e.getMessage());
        }
        write(summary);
        if (summary.ok() == 0) {
            console.err().println("sluice: not one call was answered");
            return 1;
        }
        return 0;
    }

    private static void stopOnSignal(Replay replay, StopSignal stop) {
        try {
            stop.await();
            replay.stop();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private ReplayConfig config() {
        if (!(abortShare >= 0 && abortShare <= 1)) {
            throw CommandFailed.badInput("--abort-share " + abortShare + ": write 0 to 1");
        }
        try {
            return ReplayConfig.of(target)
                    .withModel(model)
                    .withSpeed(speed)
                    .withLimit(limit == null ? Integer.MAX_VALUE : limit)
                    .withAbortShare(abortShare)
                    .withTimeout(timeout)
                    .withApiKey(key)
                    .withSeed(seed);
        } catch (IllegalArgumentException e) {
            throw CommandFailed.badInput(String.valueOf(e.getMessage()));
        }
    }

    private void write(ReplaySummary summary) {
        String text = summary.toJson().toPrettyString();
        console.results(SummaryText.lines(summary), text, json);
    }

    /// Watches a replay until it is closed.
    private interface Progress extends ReplayListener, AutoCloseable {
        @Override
        void close();
    }

    private Progress progress(int total) {
        return console.terminal() ? new Bar(total) : new Lines();
    }

    /// One line, drawn again and again.
    private static final class Bar implements Progress {
        private final ProgressBar bar;

        Bar(int total) {
            bar =
                    new ProgressBarBuilder()
                            .setTaskName("replay")
                            .setInitialMax(total)
                            .setStyle(ProgressBarStyle.ASCII)
                            .setUpdateIntervalMillis(200)
                            .build();
        }

        @Override
        public void progress(ReplayListener.Progress now) {
            bar.stepTo(now.ended());
            bar.setExtraMessage(
                    " in flight "
                            + now.inFlight()
                            + ", failed "
                            + now.failed()
                            + ", shed "
                            + now.shed());
        }

        @Override
        public void close() {
            bar.close();
        }
    }

    /// A line now and then, for logs.
    private final class Lines implements Progress {
        private long nextNanos = System.nanoTime() + LINE_EVERY.toNanos();

        @Override
        public void progress(ReplayListener.Progress now) {
            if (System.nanoTime() < nextNanos) {
                return;
            }
            nextNanos += LINE_EVERY.toNanos();
            console.err()
                    .println(
                            now.ended()
                                    + " of "
                                    + now.total()
                                    + " calls, in flight "
                                    + now.inFlight()
                                    + ", failed "
                                    + now.failed()
                                    + ", shed "
                                    + now.shed());
        }

        @Override
        public void close() {}
    }
}
