package dev.sluice.cli;

import dev.sluice.shared.AdminJson;
import dev.sluice.shared.LoadReport;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/// `top`: a proxy's pools and endpoints, live in a terminal, else once.
@Command(
        name = "top",
        mixinStandardHelpOptions = true,
        header = "Watches a proxy: pools, endpoints, load, states and why.",
        footer = {"", "Examples:", "  sluice top", "  sluice top --json | jq .pools"})
final class TopCommand implements Callable<Integer> {
    private final Console console;

    @Mixin private final AdminOptions options = new AdminOptions();

    TopCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        try (AdminClient admin = options.connect()) {
            LoadReport load = admin.load();
            if (options.json()) {
                console.out().println(new String(AdminJson.bytes(load), StandardCharsets.UTF_8));
            } else if (console.terminal()) {
                watch(admin);
            } else {
                LoadView.lines(load).forEach(console.out()::println);
            }
            return 0;
        }
    }

    private void watch(AdminClient admin) throws InterruptedException {
        StopSignal stop = StopSignal.install();
        try (Screen screen = Screen.open(console)) {
            do {
                LoadReport load = admin.load();
                var picture = new ArrayList<String>();
                picture.add("proxy " + load.proxy() + "   Ctrl-C ends");
                picture.add("");
                picture.addAll(LoadView.lines(load));
                screen.show(picture, "");
            } while (!stop.await(TimeUnit.SECONDS.toNanos(1)));
        }
    }
}
