package dev.sluice.autoscaler.kubernetes;

import dev.sluice.autoscaler.Autoscaler;
import dev.sluice.autoscaler.AutoscalerConfig;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;

/// An autoscaler in a process of its own, for tests that kill it.
public final class AutoscalerProcess {
    private AutoscalerProcess() {}

    public static void main(String[] args) throws InterruptedException {
        try (Autoscaler _ = Autoscaler.start(AutoscalerConfig.read(Path.of(args[0])), false)) {
            Thread.sleep(600_000);
        }
    }

    static Process start(Path config, Path kubeconfig, File output) throws IOException {
        var builder =
                new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-Xmx192m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        AutoscalerProcess.class.getName(),
                        config.toString());
        builder.environment().put("KUBECONFIG", kubeconfig.toString());
        return builder.redirectErrorStream(true).redirectOutput(output).start();
    }
}
