package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;

import dev.sluice.cli.PromQl.LabelMatcher;
import dev.sluice.cli.PromQl.Selector;
import dev.sluice.shared.MetricNames;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/// Holds dashboards, rules and documents to what a running proxy and autoscaler publish, and to
/// each other. That every query returns data is `bench/dashboards`.
class DashboardsTest {
    private static final Path DASHBOARDS = Path.of("..", "dashboards");
    private static final Path DOCS = Path.of("..", "docs");

    /// What the scrape's configuration adds to each series.
    private static final Set<String> TARGET = Set.of("namespace", "job", "instance");

    /// Series that Prometheus makes itself.
    private static final Set<String> BUILT_IN = Set.of("up", "ALERTS");

    /// Their values are numbers, or names that Prometheus and the rules make.
    private static final Set<String> FREE = Set.of("alertname", "alertstate", "severity");

    private static final Set<String> UNITS =
            Set.of("short", "none", "s", "percentunit", "reqps", "cps", "bytes");

    @TempDir static Path folder;
    private static LiveScrape live;

    @BeforeAll
    static void scrape() throws Exception {
        live = LiveScrape.take(folder);
    }

    @Test
    void aLiveScrapeHasExactlyTheMetricsOfTheContract() {
        Set<String> contract =
                Arrays.stream(MetricNames.class.getFields())
                        .filter(field -> Modifier.isStatic(field.getModifiers()))
                        .map(DashboardsTest::text)
                        .filter(name -> name.matches("(sluice|gen_ai)_.+"))
                        .collect(Collectors.toSet());
        contract.removeAll(
                Set.of(MetricNames.OPERATION, MetricNames.MODEL, MetricNames.TOKEN_TYPE));
        assertThat(live.families()).containsExactlyInAnyOrderElementsOf(contract);
    }

    @Test
    void everyQueryAsksForMetricsAndLabelsThatExist() throws IOException {
        var wrong = new TreeSet<String>();
        for (String query : allQueries()) {
            PromQl parsed = PromQl.of(query);
            assertThat(parsed.selectors()).as(query).isNotEmpty();
            var known = new HashSet<>(TARGET);
            known.add("le");
            for (Selector selector : parsed.selectors()) {
                Set<String> labels = labels(selector.metric());
                if (labels.isEmpty() && !exists(selector.metric())) {
                    wrong.add(selector.metric() + " in " + query);
                }
                known.addAll(labels);
                for (LabelMatcher matcher : selector.matchers()) {
                    if (!labels.contains(matcher.label()) && !TARGET.contains(matcher.label())) {
                        wrong.add(selector.metric() + "{" + matcher.label() + "} in " + query);
                    }
                }
            }
            parsed.labels().stream()
                    .filter(label -> !known.contains(label))
                    .forEach(label -> wrong.add(label + " in " + query));
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void everyWordThatAQueryLooksForIsDocumented() throws IOException {
        String pages =
                Files.readString(DOCS.resolve("metrics.md"))
                        + Files.readString(DOCS.resolve("autoscaling.md"));
        var wrong = new TreeSet<String>();
        for (String query : allQueries()) {
            for (Selector selector : PromQl.of(query).selectors()) {
                for (LabelMatcher matcher : selector.matchers()) {
                    if (FREE.contains(matcher.label()) || matcher.value().startsWith("$")) {
                        continue;
                    }
                    for (String word : matcher.value().split("\\|")) {
                        boolean known =
                                matcher.label().equals("le")
                                        ? live.text().contains("le=\"" + word + "\"")
                                        : pages.contains("`" + word + "`");
                        if (!known) {
                            wrong.add(matcher.label() + "=" + word + " in " + query);
                        }
                    }
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void documentsNameOnlyMetricsThatExist() throws IOException {
        Pattern name = Pattern.compile("`((?:sluice|gen_ai|jvm|process|system)_\\w+)(\\*?)");
        Pattern rule = Pattern.compile("\\b(sluice:\\w+:\\w+|pool:sluice\\w*:\\w+)");
        var wrong = new TreeSet<String>();
        for (Path page : pages()) {
            String text = Files.readString(page);
            name.matcher(text)
                    .results()
                    .filter(found -> !documented(found.group(1), !found.group(2).isEmpty()))
                    .forEach(found -> wrong.add(found.group(1) + " in " + page));
            rule.matcher(text)
                    .results()
                    .filter(found -> !recorded().contains(found.group(1)))
                    .forEach(found -> wrong.add(found.group(1) + " in " + page));
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void dashboardsHaveTheSameShape() throws IOException {
        var uids = new HashSet<String>();
        for (Path file : dashboards()) {
            JsonNode board = new ObjectMapper().readTree(file.toFile());
            assertThat(uids.add(board.at("/uid").asText())).as(file.toString()).isTrue();
            assertThat(board.at("/uid").asText()).startsWith("sluice-");
            assertThat(board.at("/schemaVersion").asInt()).isEqualTo(39);
            assertThat(names(board.at("/templating/list"), "/name"))
                    .as(file.toString())
                    .startsWith("datasource", "namespace", "pool");
            var ids = new HashSet<Integer>();
            for (JsonNode panel : board.at("/panels")) {
                String title = file.getFileName() + ": " + panel.at("/title").asText();
                assertThat(ids.add(panel.at("/id").asInt())).as(title).isTrue();
                if (!panel.at("/type").asText().equals("row")) {
                    panelIsWhole(title, panel);
                }
            }
            noPanelCoversAnother(file.toString(), board.at("/panels"));
        }
        assertThat(uids).hasSize(4);
    }

    private static void panelIsWhole(String title, JsonNode panel) {
        assertThat(panel.at("/description").asText()).as(title).contains("\n\nNo data: ");
        assertThat(panel.at("/datasource/uid").asText()).as(title).isEqualTo("${datasource}");
        assertThat(UNITS).as(title).contains(panel.at("/fieldConfig/defaults/unit").asText());
        assertThat(panel.at("/targets")).as(title).isNotEmpty();
        for (JsonNode target : panel.at("/targets")) {
            String query = target.at("/expr").asText();
            assertThat(query).as(title).isNotBlank();
            assertThat(query).as(title).doesNotContain("<");
            // A window of its own would lose data or counts at another resolution.
            assertThat(query).as(title).doesNotContainPattern("(rate|increase)\\([^)]*\\[\\d");
            assertThat(target.at("/datasource/uid").asText()).isEqualTo("${datasource}");
        }
    }

    private static void noPanelCoversAnother(String file, JsonNode panels) {
        var cells = new HashSet<String>();
        for (JsonNode panel : panels) {
            JsonNode at = panel.at("/gridPos");
            assertThat(at.at("/x").asInt() + at.at("/w").asInt()).isLessThanOrEqualTo(24);
            for (int x = at.at("/x").asInt(); x < at.at("/x").asInt() + at.at("/w").asInt(); x++) {
                for (int y = at.at("/y").asInt();
                        y < at.at("/y").asInt() + at.at("/h").asInt();
                        y++) {
                    assertThat(cells.add(x + " " + y))
                            .as(file + ": " + panel.at("/title").asText())
                            .isTrue();
                }
            }
        }
    }

    @Test
    void dashboardsAreWhatTheGeneratorWrites() throws Exception {
        assumeTrue(installed("python3"), "python3 is not installed");
        assertThat(run("python3", DASHBOARDS.resolve("generate").toString(), "--check")).isEmpty();
    }

    @Test
    void everyAlertIsWholeAndHasItsRunbook() throws IOException {
        String handbook = Files.readString(DOCS.resolve("operations.md"));
        Set<String> sections =
                Pattern.compile("(?m)^### (Sluice\\w+)$")
                        .matcher(handbook)
                        .results()
                        .map(found -> found.group(1))
                        .collect(Collectors.toSet());
        var alerts = new HashSet<String>();
        for (JsonNode rule : rules("alert")) {
            String name = rule.at("/alert").asText();
            alerts.add(name);
            assertThat(rule.at("/labels/severity").asText()).as(name).isIn("critical", "warning");
            assertThat(rule.at("/for").asText()).as(name).isNotBlank();
            assertThat(rule.at("/annotations/summary").asText()).as(name).isNotBlank();
            assertThat(rule.at("/annotations/description").asText()).as(name).contains("$value");
            assertThat(rule.at("/annotations/runbook_url").asText())
                    .isEqualTo("docs/operations.md#" + name.toLowerCase(Locale.ROOT));
        }
        assertThat(sections).containsExactlyInAnyOrderElementsOf(alerts);
    }

    @Test
    void everyAlertIsTestedToFireAndNotToFire() throws IOException {
        var fires = new TreeSet<String>();
        var rests = new TreeSet<String>();
        var records = new TreeSet<String>();
        for (JsonNode test : tests()) {
            for (JsonNode one : test.at("/alert_rule_test")) {
                String name = one.at("/alertname").asText();
                JsonNode expected = one.at("/exp_alerts");
                if (expected.isEmpty()) {
                    rests.add(name);
                }
                for (JsonNode alert : expected) {
                    fires.add(name + variant(alert.at("/exp_labels")));
                }
            }
            for (JsonNode one : test.at("/promql_expr_test")) {
                PromQl.of(one.at("/expr").asText())
                        .selectors()
                        .forEach(selector -> records.add(selector.metric()));
            }
        }
        var alerts = new TreeSet<String>();
        var names = new TreeSet<String>();
        for (JsonNode rule : rules("alert")) {
            alerts.add(rule.at("/alert").asText() + variant(rule.at("/labels")));
            names.add(rule.at("/alert").asText());
        }
        assertThat(fires).isEqualTo(alerts);
        assertThat(rests).isEqualTo(names);
        assertThat(records).containsAll(recorded());
    }

    /// What tells rules of one name apart.
    private static String variant(JsonNode labels) {
        return " " + labels.at("/severity").asText() + " " + labels.at("/burn").asText();
    }

    @Test
    void promtoolAcceptsRulesTheirTestsAndEveryQuery() throws Exception {
        assumeTrue(installed("promtool"), "promtool is not installed: apt-get install prometheus");
        for (Path file : yaml("rules")) {
            run("promtool", "check", "rules", file.toString());
        }
        for (Path file : yaml("tests")) {
            run("promtool", "test", "rules", file.toString());
        }
        var text = new StringBuilder("groups:\n  - name: panels\n    rules:\n");
        for (String query : panelQueries()) {
            text.append("      - record: panel:%d\n".formatted(text.length()))
                    .append("        expr: '%s'\n".formatted(plain(query).replace("'", "''")));
        }
        Path panels = Files.writeString(folder.resolve("panels.yaml"), text);
        run("promtool", "check", "rules", panels.toString());
    }

    @Test
    void promtoolFindsNothingWrongWithTheMetrics() throws Exception {
        assumeTrue(installed("promtool"), "promtool is not installed: apt-get install prometheus");
        // The others are the JVM's, named by a library.
        String own =
                live.text()
                        .lines()
                        .filter(line -> line.matches("(# \\w+ )?(sluice|gen_ai)_.*"))
                        .collect(Collectors.joining("\n", "", "\n"));
        Path scrape = Files.writeString(folder.resolve("scrape.txt"), own);
        Process promtool =
                new ProcessBuilder("promtool", "check", "metrics")
                        .redirectInput(scrape.toFile())
                        .redirectErrorStream(true)
                        .start();
        assertThat(said(promtool)).isEmpty();
        assertThat(promtool.exitValue()).isZero();
    }

    /// With the variables replaced, as Grafana would.
    private static String plain(String query) {
        return query.replace("$__rate_interval", "1m")
                .replace("$__range", "1h")
                .replaceAll("=~\"\\$\\w+\"", "=~\".*\"");
    }

    private static boolean exists(String metric) {
        return BUILT_IN.contains(metric)
                || live.labels().containsKey(metric)
                || recorded().contains(metric);
    }

    private static Set<String> labels(String metric) {
        if (recorded().contains(metric)) {
            return Set.of("namespace", "pool");
        }
        if (metric.equals("ALERTS")) {
            return Set.of("alertname", "alertstate", "severity", "pool");
        }
        return live.labels().getOrDefault(metric, Set.of());
    }

    private static boolean documented(String name, boolean prefix) {
        Set<String> labels =
                live.labels().values().stream().flatMap(Set::stream).collect(Collectors.toSet());
        return prefix
                ? live.labels().keySet().stream().anyMatch(series -> series.startsWith(name))
                : live.families().contains(name)
                        || live.labels().containsKey(name)
                        || labels.contains(name);
    }

    private static Set<String> recorded() {
        try {
            return rules("record").stream()
                    .map(rule -> rule.at("/record").asText())
                    .collect(Collectors.toSet());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// Of panels, annotations, variables and rules.
    private static Set<String> allQueries() throws IOException {
        var out = new TreeSet<>(panelQueries());
        for (Path file : dashboards()) {
            JsonNode board = new ObjectMapper().readTree(file.toFile());
            names(board.at("/templating/list"), "/definition").stream()
                    .filter(definition -> !definition.isEmpty())
                    .map(
                            definition ->
                                    definition.replaceAll(
                                            "label_values\\((.*), (\\w+)\\)", "sum by ($2) ($1)"))
                    .forEach(out::add);
        }
        for (String kind : List.of("record", "alert")) {
            rules(kind).stream()
                    .map(rule -> rule.at("/expr").asText())
                    .filter(query -> !query.startsWith("vector("))
                    .forEach(out::add);
        }
        return out;
    }

    private static List<String> panelQueries() throws IOException {
        var out = new ArrayList<String>();
        for (Path file : dashboards()) {
            JsonNode board = new ObjectMapper().readTree(file.toFile());
            for (JsonNode panel : board.at("/panels")) {
                out.addAll(names(panel.at("/targets"), "/expr"));
            }
            out.addAll(names(board.at("/annotations/list"), "/expr"));
        }
        return out;
    }

    private static List<String> names(JsonNode list, String at) {
        return StreamSupport.stream(list.spliterator(), false)
                .map(one -> one.at(at).asText())
                .toList();
    }

    private static List<JsonNode> rules(String kind) throws IOException {
        var out = new ArrayList<JsonNode>();
        for (Path file : yaml("rules")) {
            for (JsonNode group : new YAMLMapper().readTree(file.toFile()).at("/groups")) {
                group.at("/rules")
                        .forEach(
                                rule -> {
                                    if (rule.has(kind)) {
                                        out.add(rule);
                                    }
                                });
            }
        }
        assertThat(out).isNotEmpty();
        return out;
    }

    private static List<JsonNode> tests() throws IOException {
        var out = new ArrayList<JsonNode>();
        for (Path file : yaml("tests")) {
            new YAMLMapper().readTree(file.toFile()).at("/tests").forEach(out::add);
        }
        return out;
    }

    private static List<Path> dashboards() throws IOException {
        return files(DASHBOARDS, ".json");
    }

    private static List<Path> yaml(String under) throws IOException {
        return files(DASHBOARDS.resolve(under), ".yaml");
    }

    private static List<Path> pages() throws IOException {
        var out = new ArrayList<>(files(DOCS, ".md"));
        out.add(Path.of("..", "README.md"));
        return out;
    }

    private static List<Path> files(Path in, String ending) throws IOException {
        try (Stream<Path> all = Files.list(in)) {
            return all.filter(file -> file.toString().endsWith(ending)).sorted().toList();
        }
    }

    private static boolean installed(String command) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(dir -> Files.isExecutable(Path.of(dir, command)));
    }

    /// What a command that must succeed said to standard error.
    private static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = said(process);
        assertThat(process.exitValue()).as(String.join(" ", command) + "\n" + said).isZero();
        return said;
    }

    private static String said(Process process) throws Exception {
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return said;
    }

    private static String text(Field field) {
        try {
            return String.valueOf(field.get(null));
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }
}
