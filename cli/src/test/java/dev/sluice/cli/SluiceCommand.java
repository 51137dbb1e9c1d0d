package dev.sluice.cli;

import java.util.ArrayList;
import java.util.List;

/// The words that run `sluice` as a process of its own, from the classes under test.
final class SluiceCommand {
    private SluiceCommand() {}

    static List<String> words(String... arguments) {
        var out =
                new ArrayList<>(
                        List.of(
                                ProcessHandle.current().info().command().orElse("java"),
                                "--enable-native-access=ALL-UNNAMED",
                                "--sun-misc-unsafe-memory-access=allow",
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Main.class.getName()));
        out.addAll(List.of(arguments));
        return out;
    }
}
