package dev.sluice.cli;

import dev.sluice.autoscaler.Autoscaler;
import dev.sluice.autoscaler.AutoscalerConfig;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.concurrent.Callable;

/// `autoscaler`: decides how many replicas there should be, until it is told to stop.
@Command(
        name = "autoscaler",
        mixinStandardHelpOptions = true,
        header = "Runs the autoscaler.",
        description = {
            "",
            "Reads the proxies' load reports, decides, starts replicas, and drains them at the",
            "proxies before it takes them away. Ctrl-C or SIGTERM ends it with its replicas.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sluice autoscaler --config scalers.yaml",
            "  sluice autoscaler --config scalers.yaml --dry-run   # decides, touches nothing"
        })
final class AutoscalerCommand implements Callable<Integer> {
    private static final Logger log = LoggerFactory.getLogger(AutoscalerCommand.class);

    @Option(
            names = "--config",
            required = true,
            paramLabel = "F",
            description =
                    "File with scalers: or kubernetes:; docs/reference/configuration.md has every"
                            + " key.")
    private Path file = Path.of("");

    @Option(names = "--dry-run", description = "Decides and says why, and changes nothing.")
    private boolean dryRun;

    @Override
    public Integer call() throws InterruptedException {
        AutoscalerConfig config = AutoscalerConfig.read(file);
        StopSignal stop = StopSignal.install();
        try (Autoscaler _ = Autoscaler.start(config, dryRun)) {
            log.info(
                    "scaling {}{}",
                    config.scalers().stream().map(AutoscalerConfig.Entry::pool).toList(),
                    dryRun ? ", dry run" : "");
            stop.await();
            log.info("stopping: replicas drain; a second signal ends at once");
        }
        log.info("stopped");
        return 0;
    }
}
