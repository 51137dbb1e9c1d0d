package dev.sluice.cli;

import dev.sluice.shared.AdminJson;
import dev.sluice.shared.LoadReport;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;

/// `endpoints list|drain|undrain`.
@Command(
        name = "endpoints",
        mixinStandardHelpOptions = true,
        header = "Shows a proxy's endpoints; drains one before it is taken away.",
        footer = {
            "",
            "Examples:",
            "  sluice endpoints list",
            "  sluice endpoints drain 10.0.0.1:8000     # finishes its calls, gets no new ones",
            "  sluice endpoints undrain 10.0.0.1:8000"
        })
final class EndpointsCommand implements Callable<Integer> {
    private final Console console;

    EndpointsCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        throw CommandFailed.badInput(
                "endpoints list, drain or undrain? See: sluice endpoints --help");
    }

    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "Lists the endpoints of all pools with state, load and why.")
    int list(@Mixin AdminOptions options) {
        try (AdminClient admin = options.connect()) {
            LoadReport load = admin.load();
            if (options.json()) {
                console.out().println(new String(AdminJson.bytes(load), StandardCharsets.UTF_8));
            } else {
                LoadView.lines(load).forEach(console.out()::println);
            }
            return 0;
        }
    }

    @Command(
            name = "drain",
            mixinStandardHelpOptions = true,
            description = "Gives an endpoint no new calls; those that run finish.")
    int drain(
            @Mixin AdminOptions options,
            @Parameters(paramLabel = "ID", description = "host:port, as in the list") String id) {
        return act(options, id, "drain");
    }

    @Command(
            name = "undrain",
            mixinStandardHelpOptions = true,
            description = "Gives a drained endpoint calls again.")
    int undrain(
            @Mixin AdminOptions options,
            @Parameters(paramLabel = "ID", description = "host:port, as in the list") String id) {
        return act(options, id, "undrain");
    }

    private int act(AdminOptions options, String id, String verb) {
        try (AdminClient admin = options.connect()) {
            byte[] answer = admin.post("/admin/v1/endpoints/" + id + ":" + verb);
            if (options.json()) {
                console.out().println(new String(answer, StandardCharsets.UTF_8));
            } else {
                console.out()
                        .println(verb.equals("drain") ? id + " drains" : id + " gets calls again");
            }
            return 0;
        }
    }
}
