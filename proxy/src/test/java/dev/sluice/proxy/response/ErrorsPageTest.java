package dev.sluice.proxy.response;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// docs/errors.md names every refusal that the code can make, with its status and type.
///
/// The code is read as text: each place that makes a {@link dev.sluice.proxy.request.Refusal} has
/// to be of a form known here, so that a new one cannot go unseen.
class ErrorsPageTest {
    private static final Path MAIN = Path.of("src/main/java/dev/sluice/proxy");
    private static final Pattern MADE =
            Pattern.compile("\\bRefusal\\.(?:invalid|capacity|upstream)\\(|new Refusal\\(");
    private static final Pattern ROW =
            Pattern.compile("(?m)^\\| `(\\w+)` \\| ([0-9, ]+) \\| `(\\w+)` \\|");

    /// A code's statuses and type.
    private record Kind(TreeSet<Integer> statuses, String type) {}

    private final Map<String, Kind> made = new TreeMap<>();
    private int seen;

    @Test
    void namesEveryRefusalThatTheCodeCanMake() throws IOException {
        String code = source(MAIN);
        read(code);
        assertThat(seen)
                .as("places that make refusals, and that are read here")
                .isEqualTo(count(code));

        Map<String, Kind> told = new TreeMap<>();
        Matcher row = ROW.matcher(Files.readString(Path.of("../docs/errors.md")));
        while (row.find()) {
            var statuses = new TreeSet<Integer>();
            Stream.of(row.group(2).split(", ")).map(Integer::valueOf).forEach(statuses::add);
            told.put(row.group(1), new Kind(statuses, row.group(3)));
        }
        assertThat(told).isEqualTo(made);
    }

    private void read(String code) throws IOException {
        // With a status and a code.
        seen +=
                each(
                        code,
                        "Refusal\\.invalid\\( ?(\\d+), \"(\\w+)\"",
                        m -> invalid(m.group(1), m.group(2)));
        seen +=
                each(
                        code,
                        "new Refusal\\( ?(\\d+), \"(\\w+)\", \"(\\w+)\"",
                        m -> add(m.group(1), m.group(2), m.group(3)));
        seen += each(code, "Refusal\\.capacity\\( ?\"(\\w+)\"", m -> capacity(m.group(1)));
        seen +=
                each(
                        code,
                        "Refusal\\.upstream\\( ?(\\d+), \"(\\w+)\"",
                        m -> add(m.group(1), "upstream_error", m.group(2)));
        seen +=
                each(
                        code,
                        "Refusal\\.upstream\\( ?\\w+ \\? (\\d+) : (\\d+), \\w+ \\? \"(\\w+)\" :"
                                + " \"(\\w+)\"",
                        m -> {
                            add(m.group(1), "upstream_error", m.group(3));
                            add(m.group(2), "upstream_error", m.group(4));
                        });
        // With the code handed in.
        seen += each(code, "Refusal\\.capacity\\( ?code,", _ -> {});
        each(code, "[^.\\w]refusal\\( ?\"(\\w+)\",", m -> capacity(m.group(1)));
        each(
                code,
                "[^.\\w]refusal\\( ?\\w+\\([^?]+\\) \\? \"(\\w+)\" : \"(\\w+)\",",
                m -> {
                    capacity(m.group(1));
                    capacity(m.group(2));
                });
        seen += each(code, "new Refusal\\(401, \"authentication_error\", code,", _ -> {});
        each(
                code,
                "[^.\\w]shed\\( ?\"(\\w+)\",",
                m -> add("401", "authentication_error", m.group(1)));
        // With the status handed in.
        seen += each(code, "Refusal\\.invalid\\( ?status, \"websocket_handshake\"", _ -> {});
        each(
                code,
                "Refusals\\.webSocket\\((\\d+),",
                m -> invalid(m.group(1), "websocket_handshake"));
        seen +=
                each(
                        code,
                        "Refusal\\.invalid\\( ?v\\.status\\(\\), \"malformed_request\"",
                        _ -> {});
        for (String part : new String[] {"http", "listener"}) {
            each(
                    source(MAIN.resolve(part)),
                    "new Violation\\( ?(\\d{3}),",
                    m -> invalid(m.group(1), "malformed_request"));
        }
        // One that is said again in other words, one that is read back from bytes, the factories.
        seen += each(code, "Refusal\\.invalid\\( ?400, routing\\.code\\(\\)", _ -> {});
        seen += each(code, "new Refusal\\(bytes\\.readInt\\(\\)", _ -> {});
        seen += each(code, "return new Refusal\\((?:status|503), \"\\w+\", code,", _ -> {});
    }

    private void invalid(String status, String code) {
        add(status, "invalid_request_error", code);
    }

    private void capacity(String code) {
        add("503", "overloaded_error", code);
    }

    private void add(String status, String type, String code) {
        Kind kind = made.computeIfAbsent(code, _ -> new Kind(new TreeSet<>(), type));
        assertThat(kind.type()).as(code).isEqualTo(type);
        kind.statuses().add(Integer.valueOf(status));
    }

    private int each(String text, String pattern, java.util.function.Consumer<Matcher> use) {
        Matcher m = Pattern.compile(pattern).matcher(text);
        int found = 0;
        for (; m.find(); found++) {
            use.accept(m);
        }
        assertThat(found).as("the code no longer has " + pattern).isPositive();
        return found;
    }

    private static int count(String code) {
        return (int) MADE.matcher(code).results().count();
    }

    /// Everything below a folder, without comments and with single spaces.
    private static String source(Path folder) throws IOException {
        var out = new StringBuilder();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).sorted().toList()) {
                out.append(Files.readString(file)).append('\n');
            }
        }
        return out.toString().replaceAll("(?m)^\\s*//.*$", "").replaceAll("\\s+", " ");
    }
}
