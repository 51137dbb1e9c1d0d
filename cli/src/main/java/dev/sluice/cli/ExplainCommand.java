package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;

/// `explain`: where a request would go, or what became of a call.
@Command(
        name = "explain",
        mixinStandardHelpOptions = true,
        header = "Says where a request would go and why, or what became of a call.",
        description = {
            "",
            "With -f, asks a running proxy what it would do with this request now: pool, policy,",
            "each endpoint with its score, and why the others are left out. Nothing is sent to an",
            "engine. With an ID, tells the story of one of the last 10,000 calls.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sluice explain -f request.json",
            "  echo '{\"model\": \"llama-3.1-8b\"}' | sluice explain -f -",
            "  sluice explain req_2bf14adafd8f4e3cd312c313"
        })
final class ExplainCommand implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Console console;

    @Mixin private final AdminOptions options = new AdminOptions();

    @Option(
            names = {"-f", "--file"},
            paramLabel = "F",
            description = "The request as JSON; - reads standard input.")
    private @Nullable Path file;

    @Option(
            names = "--path",
            paramLabel = "PATH",
            defaultValue = "/v1/chat/completions",
            description = "Where it would be sent (default ${DEFAULT-VALUE}).")
    private String path = "";

    @Parameters(arity = "0..1", paramLabel = "ID", description = "A call's x-request-id.")
    private @Nullable String id;

    ExplainCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        Path from = file;
        String call = id;
        if ((from == null) == (call == null)) {
            throw CommandFailed.badInput("explain needs -f F or a call's ID, and not both");
        }
        try (AdminClient admin = options.connect()) {
            byte[] answer =
                    call != null
                            ? admin.get("/admin/v1/requests/" + encoded(call))
                            : admin.post(
                                    "/admin/v1/explain?path=" + encoded(path),
                                    from == null ? "" : read(from));
            if (options.json()) {
                console.out().println(new String(answer, StandardCharsets.UTF_8));
            } else if (call != null) {
                JSON.readTree(answer)
                        .path("story")
                        .forEach(step -> console.out().println(step.asText()));
            } else {
                show(JSON.readTree(answer));
            }
            return 0;
        } catch (IOException e) {
            throw CommandFailed.failed("the answer is not JSON: " + e.getMessage());
        }
    }

    private static String read(Path from) {
        try {
            return from.toString().equals("-")
                    ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8)
                    : Files.readString(from);
        } catch (IOException e) {
            throw CommandFailed.badInput("-f " + from + ": cannot be read: " + e);
        }
    }

    private void show(JsonNode told) {
        var out = console.out();
        out.println(told.path("verdict").asText());
        if (!told.path("refusal").isNull()) {
            return;
        }
        out.println(
                "pool "
                        + told.path("pool").asText()
                        + "   "
                        + told.path("policy").asText()
                        + ": "
                        + told.path("rule").asText());
        var table =
                new Table(
                        "endpoint",
                        "<state",
                        "would get it",
                        "score",
                        "load",
                        "weight",
                        "TTFT",
                        "<left out");
        for (JsonNode c : told.path("candidates")) {
            boolean leftOut = !c.path("left_out").isNull();
            table.row(
                    c.path("endpoint").asText(),
                    c.path("state").asText(),
                    leftOut ? "-" : Math.round(100 * c.path("share").asDouble()) + " %",
                    number(c.path("score"), ""),
                    number(c.path("load"), ""),
                    number(c.path("weight"), ""),
                    number(c.path("ttft_ms"), " ms"),
                    leftOut ? c.path("left_out").asText() + ": " + c.path("why").asText() : "");
        }
        table.lines().forEach(out::println);
    }

    private static String number(JsonNode value, String unit) {
        return value.isNull()
                ? "-"
                : String.format(Locale.ROOT, "%.1f", value.asDouble()).replace(".0", "") + unit;
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
