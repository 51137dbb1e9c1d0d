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
        description = {
            "",
            "Talks to the admin port of a running proxy. A drained endpoint finishes the calls"
                    + " that",
            "run there and gets no new ones until it is undrained; the proxy's other endpoints"
                    + " take",
            "its share.",
            ""
        },
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
            header = "Lists the endpoints of all pools with state, load and why.",
            description = {"", "What is not known shows as -, never as 0.", ""},
            footer = {"", "Example:", "  sluice endpoints list --json | jq '.pools[].endpoints'"})
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
            header = "Gives an endpoint no new calls; those that run finish.",
            description = {
                "",
                "Returns at once. Wait until the list says 0 in flight before you stop the engine.",
                ""
            },
            footer = {"", "Example:", "  sluice endpoints drain 10.0.0.1:8000"})
    int drain(
            @Mixin AdminOptions options,
            @Parameters(paramLabel = "ID", description = "host:port, as in the list") String id) {
        return act(options, id, "drain");
    }

    @Command(
            name = "undrain",
            mixinStandardHelpOptions = true,
            header = "Gives a drained endpoint calls again.",
            description = {"", "As its health allows: a sick one stays out.", ""},
            footer = {"", "Example:", "  sluice endpoints undrain 10.0.0.1:8000"})
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
