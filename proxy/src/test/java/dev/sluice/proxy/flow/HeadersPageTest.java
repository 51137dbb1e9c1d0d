package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.flow.RawClient.Response;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// docs/headers.md says what goes through and what is added, and names every header that the code
/// knows.
class HeadersPageTest {
    private static final Path MAIN = Path.of("src/main/java/dev/sluice/proxy");
    private static final Pattern CODE = Pattern.compile("`([a-z0-9…-]+)`");

    /// Headers that belong to the connection or frame the request; RequestHeadTest and the
    /// smuggling tests look after them.
    private static final List<String> FRAMING =
            List.of(
                    "host",
                    "content-length",
                    "transfer-encoding",
                    "connection",
                    "upgrade",
                    "expect",
                    "http2-settings");

    @Test
    void engineGetsWhatThePageSays() throws Exception {
        Map<String, String> sent = new LinkedHashMap<>();
        Map<String, Boolean> goesOn = new LinkedHashMap<>();
        for (String[] row : rows("## What a client may send")) {
            for (String name : names(row[0])) {
                if (!FRAMING.contains(name)) {
                    String whole = name.replace("…", "for");
                    sent.put(whole, value(whole));
                    goesOn.put(whole, row[2].startsWith("yes") || name.equals("x-request-id"));
                }
            }
        }
        assertThat(sent).containsKeys("authorization", "traceparent", "x-sluice-for", "cookie");
        try (var origin = new Origin();
                Rig rig = Rig.of("", origin)) {
            var lines = new StringBuilder();
            sent.forEach((name, value) -> lines.append(name + ": " + value + "\r\n"));
            String request = RawClient.request("{\"model\":\"m\"}");
            Response response =
                    rig.client()
                            .send(request.replaceFirst("Content-Type:.*\r\n", lines.toString()))
                            .read();
            assertThat(response.status()).as(response.body()).isEqualTo(200);
            Origin.Conversation call = origin.calls().getFirst();
            goesOn.forEach(
                    (name, expected) ->
                            assertThat(call.header(name) != null).as(name).isEqualTo(expected));
        }
    }

    @Test
    void clientGetsWhatThePageSays() throws Exception {
        try (var origin = new Origin();
                Rig rig = Rig.of("", origin)) {
            Response response = rig.client().post("{\"model\":\"m\"}").read();
            var added = new TreeSet<String>();
            response.head()
                    .lines()
                    .map(line -> line.replaceFirst(":.*", "").toLowerCase(Locale.ROOT))
                    .filter(name -> name.startsWith("x-"))
                    .forEach(added::add);
            var told = new TreeSet<>(names("## What a client gets"));
            told.removeIf(name -> !name.startsWith("x-") || name.equals("x-should-retry"));
            assertThat(added).isEqualTo(told);
        }
        try (var origin = new Origin();
                Rig rig = Rig.of("headers: minimal", origin)) {
            Response response = rig.client().post("{\"model\":\"m\"}").read();
            assertThat(response.head()).contains("x-request-id").doesNotContain("x-sluice-");
        }
    }

    @Test
    void namesEveryHeaderThatTheCodeKnows() throws IOException {
        String page = page();
        var known = new TreeSet<String>();
        Matcher field =
                Pattern.compile("[A-Z_]+\\(\"([a-z0-9-]+)\"\\)")
                        .matcher(Files.readString(MAIN.resolve("http/Field.java")));
        while (field.find()) {
            known.add(field.group(1));
        }
        assertThat(known).contains("te", "x-sluice-", "proxy-authorization");
        Pattern literal =
                Pattern.compile("\"(?:\\\\r\\\\n)?((?:x-|retry-after|traceparent)[a-z-]*)");
        try (Stream<Path> files = Files.walk(MAIN)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
                Matcher m = literal.matcher(Files.readString(file));
                while (m.find()) {
                    known.add(m.group(1));
                }
            }
        }
        for (String name : known) {
            assertThat(page).contains("`" + name + (name.endsWith("-") ? "…`" : "`"));
        }
        Matcher named = Pattern.compile("`(x-sluice-[a-z-]+)`").matcher(page);
        while (named.find()) {
            assertThat(known).contains(named.group(1));
        }
    }

    private static String value(String name) {
        return switch (name) {
            case "traceparent" -> "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
            case "content-type" -> "application/json";
            case "content-encoding" -> "identity";
            default -> "a=b";
        };
    }

    private static List<String> names(String cellOrHeading) throws IOException {
        var out = new ArrayList<String>();
        if (cellOrHeading.startsWith("## ")) {
            for (String[] row : rows(cellOrHeading)) {
                out.addAll(names(row[0]));
            }
            return out;
        }
        CODE.matcher(cellOrHeading).results().forEach(m -> out.add(m.group(1)));
        return out;
    }

    /// The cells of the table below a heading, without its own head.
    private static List<String[]> rows(String heading) throws IOException {
        String section = page().substring(page().indexOf(heading)).split("\n## ", 2)[0];
        return section.lines()
                .filter(line -> line.startsWith("| `"))
                .map(line -> line.substring(2, line.length() - 2).split(" \\| "))
                .toList();
    }

    private static String page() throws IOException {
        return Files.readString(Path.of("../docs/headers.md"));
    }
}
