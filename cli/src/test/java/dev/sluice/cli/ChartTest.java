package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

import dev.sluice.cli.Chart.Rendered;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/// What the charts make of their default values and of every example. `bench/kubernetes/charts`
/// hands the same to a real API server.
class ChartTest {
    private static final Path RULES = Path.of("../docs/kubernetes/autoscaler-rbac.yaml");
    private static final Path DASHBOARDS = Path.of("../dashboards");

    static List<Rendered> everything() throws IOException {
        var out = new ArrayList<Rendered>();
        out.add(Chart.SLUICE.render());
        for (Path example : Chart.SLUICE.examples()) {
            out.add(Chart.SLUICE.render(example));
        }
        out.add(Chart.SIMULATED_REPLICAS.render());
        return out;
    }

    @Test
    void lintsStrictly() {
        for (Chart chart : List.of(Chart.SLUICE, Chart.SIMULATED_REPLICAS)) {
            var result = chart.lint();
            assertThat(result.isFailed()).as("%s", result.getMessages()).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource("everything")
    void podsFitTheRestrictedStandard(Rendered rendered) {
        assertThat(rendered.pods()).isNotEmpty();
        for (JsonNode pod : rendered.pods()) {
            JsonNode security = pod.path("securityContext");
            assertThat(security.path("runAsNonRoot").asBoolean()).isTrue();
            assertThat(security.path("runAsUser").asInt()).isEqualTo(65532);
            assertThat(security.at("/seccompProfile/type").asText()).isEqualTo("RuntimeDefault");
            assertThat(pod.has("hostNetwork") || pod.has("hostPID") || pod.has("hostIPC"))
                    .isFalse();
            assertThat(pod.path("volumes").findValues("hostPath")).isEmpty();
        }
        for (JsonNode container : rendered.containers()) {
            JsonNode security = container.path("securityContext");
            assertThat(security.path("allowPrivilegeEscalation").asBoolean(true)).isFalse();
            assertThat(security.path("readOnlyRootFilesystem").asBoolean()).isTrue();
            assertThat(security.at("/capabilities/drop").toString()).isEqualTo("[\"ALL\"]");
            assertThat(security.at("/capabilities").has("add")).isFalse();
            assertThat(container.at("/resources/limits/memory").asText()).isNotEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("everything")
    void onlyPodsThatAskTheApiServerGetAToken(Rendered rendered) {
        for (JsonNode deployment : rendered.all("Deployment")) {
            String name = deployment.at("/metadata/name").asText();
            boolean asks =
                    name.equals("sluice-autoscaler")
                            || (name.equals("sluice-proxy") && hasRole(rendered, name));
            assertThat(
                            deployment
                                    .at("/spec/template/spec/automountServiceAccountToken")
                                    .asBoolean(true))
                    .as(name)
                    .isEqualTo(asks);
        }
        for (JsonNode account : rendered.all("ServiceAccount")) {
            assertThat(account.path("automountServiceAccountToken").asBoolean(true)).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource("everything")
    void rightsEndAtTheNamespace(Rendered rendered) {
        assertThat(rendered.objects())
                .noneMatch(o -> o.path("kind").asText().startsWith("Cluster"))
                .allMatch(o -> o.at("/metadata/namespace").isTextual());
    }

    /// A flag that the command line does not know would be a pod that never starts.
    @ParameterizedTest
    @MethodSource("everything")
    void theCommandLineKnowsEveryArgument(Rendered rendered) {
        for (JsonNode container : rendered.containers()) {
            if (!container.has("command")) {
                parse(words(container.path("args")));
            }
        }
    }

    @Test
    void autoscalerHasTheDocumentedRightsAndNoOthers() throws IOException {
        Set<String> documented = new TreeSet<>();
        try (var documents =
                Chart.YAML.readerFor(JsonNode.class).readValues(Files.readString(RULES))) {
            while (documents.hasNextValue()) {
                JsonNode each = (JsonNode) documents.nextValue();
                each.path("rules").forEach(r -> documented.add(sorted(r)));
            }
        }
        Set<String> rendered = new TreeSet<>();
        Chart.SLUICE
                .render()
                .one("Role", "sluice-autoscaler")
                .path("rules")
                .forEach(r -> rendered.add(sorted(r)));
        assertThat(rendered).isNotEmpty().isEqualTo(documented);
    }

    @Test
    void proxyMayLookForEndpointsWhereItsPoolsDoAndNowhereElse() throws IOException {
        Rendered rendered =
                Chart.SLUICE.renderWith(
                        """
                        proxy:
                          config:
                            pools:
                              - {name: here, kubernetes: {service: a}}
                              - {name: there, kubernetes: {namespace: other, service: b}}
                        """);
        List<JsonNode> roles =
                rendered.all("Role").stream()
                        .filter(r -> r.at("/metadata/name").asText().equals("sluice-proxy"))
                        .toList();
        assertThat(roles.stream().map(r -> r.at("/metadata/namespace").asText()))
                .containsExactlyInAnyOrder("ml", "other");
        assertThat(roles)
                .allMatch(
                        r ->
                                r.path("rules")
                                        .toString()
                                        .equals(
                                                "[{\"apiGroups\":[\"discovery.k8s.io\"],\"resources\":[\"endpointslices\"],\"verbs\":[\"list\",\"watch\"]}]"));

        Rendered fixed =
                Chart.SLUICE.renderWith(
                        "proxy: {config: {pools: [{name: a, endpoints: [{url: 'http://a:1'}]}]}}");
        assertThat(hasRole(fixed, "sluice-proxy")).isFalse();
    }

    @Test
    void selectorsFindThePodsTheyMean() throws IOException {
        Rendered rendered = Chart.SLUICE.render();
        for (String component : List.of("proxy", "autoscaler")) {
            JsonNode labels =
                    rendered.one("Deployment", "sluice-" + component)
                            .at("/spec/template/metadata/labels");
            var selectors = new ArrayList<JsonNode>();
            selectors.add(
                    rendered.one("Deployment", "sluice-" + component)
                            .at("/spec/selector/matchLabels"));
            selectors.add(
                    rendered.one("PodDisruptionBudget", "sluice-" + component)
                            .at("/spec/selector/matchLabels"));
            selectors.add(
                    rendered.one("NetworkPolicy", "sluice-" + component)
                            .at("/spec/podSelector/matchLabels"));
            String service = component.equals("proxy") ? "sluice-admin" : "sluice-autoscaler";
            selectors.add(rendered.one("Service", service).at("/spec/selector"));
            for (JsonNode selector : selectors) {
                assertThat(selector.path("app.kubernetes.io/component").asText())
                        .isEqualTo(component);
                selector.properties()
                        .forEach(
                                e ->
                                        assertThat(labels.path(e.getKey()))
                                                .as(e.getKey())
                                                .isEqualTo(e.getValue()));
            }
        }
    }

    @Test
    void monitoringShipsEveryDashboardAndEveryRule() throws IOException {
        Rendered rendered =
                Chart.SLUICE.renderWith(
                        """
                        monitoring:
                          serviceMonitor: {enabled: true}
                          prometheusRule: {enabled: true}
                          dashboards: {enabled: true}
                        """);
        var shipped = new TreeMap<String, JsonNode>();
        for (JsonNode map : rendered.all("ConfigMap")) {
            if (map.at("/metadata/labels/grafana_dashboard").asText().equals("1")) {
                for (Map.Entry<String, JsonNode> file : map.path("data").properties()) {
                    shipped.put(file.getKey(), Chart.YAML.readTree(file.getValue().asText()));
                }
            }
        }
        var written = new TreeMap<String, JsonNode>();
        for (Path file : files(DASHBOARDS, ".json")) {
            written.put(file.getFileName().toString(), Chart.YAML.readTree(file.toFile()));
        }
        assertThat(shipped).isNotEmpty().isEqualTo(written);

        var groups = new ArrayList<JsonNode>();
        for (Path file : files(DASHBOARDS.resolve("rules"), ".yaml")) {
            Chart.YAML.readTree(file.toFile()).path("groups").forEach(groups::add);
        }
        assertThat(rendered.one("PrometheusRule", "sluice").at("/spec/groups").valueStream())
                .isNotEmpty()
                .containsExactlyElementsOf(groups);

        JsonNode scraped =
                rendered.one("ServiceMonitor", "sluice").at("/spec/selector/matchLabels");
        assertThat(
                        rendered.all("Service").stream()
                                .filter(
                                        s ->
                                                scraped.properties().stream()
                                                        .allMatch(
                                                                e ->
                                                                        s.at("/metadata/labels")
                                                                                .path(e.getKey())
                                                                                .equals(
                                                                                        e
                                                                                                .getValue())))
                                .map(s -> s.at("/metadata/name").asText()))
                .containsExactlyInAnyOrder("sluice-admin", "sluice-autoscaler");
    }

    @Test
    void alertsPointToWhereTheRunbooksCanBeRead() throws IOException {
        Rendered rendered =
                Chart.SLUICE.renderWith(
                        """
                        monitoring:
                          prometheusRule: {enabled: true, runbooks: "https://git.example.com/s/"}
                        """);
        var urls = new TreeSet<String>();
        for (JsonNode group : rendered.one("PrometheusRule", "sluice").at("/spec/groups")) {
            for (JsonNode rule : group.path("rules")) {
                if (rule.has("alert")) {
                    urls.add(rule.at("/annotations/runbook_url").asText());
                }
            }
        }
        assertThat(urls)
                .hasSizeGreaterThan(10)
                .allMatch(url -> url.startsWith("https://git.example.com/s/docs/operations.md#"));
    }

    @Test
    void chartsAreOfTheProgramsVersion() throws IOException {
        String pom = Files.readString(Path.of("../pom.xml"));
        String version = pom.replaceAll("(?s).*?<version>(.*?)(-SNAPSHOT)?</version>.*", "$1");
        for (Chart chart : List.of(Chart.SLUICE, Chart.SIMULATED_REPLICAS)) {
            JsonNode about = Chart.YAML.readTree(chart.folder().resolve("Chart.yaml").toFile());
            assertThat(about.path("appVersion").asText()).isEqualTo(version);
            assertThat(about.path("version").asText()).isEqualTo(version);
        }
    }

    private static void parse(List<String> words) {
        var silent = new PrintWriter(new StringWriter());
        Main.commandLine(new Console(silent, silent, false))
                .parseArgs(words.toArray(String[]::new));
    }

    private static List<String> words(JsonNode list) {
        return list.valueStream().map(JsonNode::asText).toList();
    }

    private static boolean hasRole(Rendered rendered, String name) {
        return rendered.all("Role").stream()
                .anyMatch(r -> r.at("/metadata/name").asText().equals(name));
    }

    private static String sorted(JsonNode rule) {
        var out = new TreeMap<String, List<String>>();
        rule.properties()
                .forEach(e -> out.put(e.getKey(), words(e.getValue()).stream().sorted().toList()));
        return out.toString();
    }

    private static List<Path> files(Path folder, String ending) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> f.toString().endsWith(ending)).sorted().toList();
        }
    }
}
