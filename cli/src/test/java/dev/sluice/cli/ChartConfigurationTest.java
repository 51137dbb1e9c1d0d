package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.sluice.autoscaler.AutoscalerConfig;
import dev.sluice.autoscaler.target.ScaleTarget;
import dev.sluice.cli.Chart.Rendered;
import dev.sluice.proxy.ProxyConfig;
import dev.sluice.shared.ConfigException;
import dev.sluice.shared.ConfigNode;
import dev.sluice.shared.ConfigProblem;
import dev.sluice.shared.ConfigSource;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/// The files that the chart writes, read by the programs' own loaders; and the schema of values,
/// which may neither refuse what these know nor let pass what they do not.
class ChartConfigurationTest {
    private static final String TOKEN = "a-token-of-24-characters";
    private static final String UNKNOWN = "zzzzzzzzzzzzzzzzzzzz";

    @TempDir Path folder;
    private Path token;

    @BeforeEach
    void writeToken() throws IOException {
        token = Files.writeString(folder.resolve("token"), TOKEN + "\n");
    }

    static List<Path> examples() throws IOException {
        return Chart.SLUICE.examples();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void programsAcceptTheFilesOfEveryExample(Path example) throws IOException {
        Rendered rendered = Chart.SLUICE.render(example);
        ProxyConfig proxy = proxy(rendered);
        assertThat(proxy.pools()).isNotEmpty();
        assertThat(proxy.listen().getPort()).isEqualTo(8080);
        assertThat(proxy.admin().port()).isEqualTo(9901);
        assertThat(proxy.admin().token()).isEqualTo(TOKEN);
        AutoscalerConfig autoscaler = autoscaler(rendered);
        assertThat(autoscaler.admin()).isNotNull();
        assertThat(autoscaler.kubernetes()).isNotNull();
        assertThat(autoscaler.kubernetes().namespace()).isEqualTo("ml");
        assertThat(autoscaler.kubernetes().proxiesToken()).isEqualTo(TOKEN);
        assertThat(autoscaler.scalers()).isEmpty();

        // The same scalers, in the file: what the custom resources say is what the program reads.
        Rendered inFile =
                Chart.SLUICE.render(
                        example,
                        Files.writeString(
                                folder.resolve("file.yaml"),
                                "autoscaler: {config: {kubernetes: {resources: false}}}"));
        assertThat(inFile.all("InferenceScaler")).isEmpty();
        assertThat(autoscaler(inFile).scalers().stream().map(AutoscalerConfig.Entry::target))
                .isNotEmpty()
                .allMatch(ScaleTarget.class::isInstance)
                .hasSize(rendered.all("InferenceScaler").size());
    }

    @ParameterizedTest
    @MethodSource("examples")
    void graceOutlivesTheLongestStream(Path example) throws IOException {
        Rendered rendered = Chart.SLUICE.render(example);
        ProxyConfig config = proxy(rendered);
        long grace =
                rendered.one("Deployment", "sluice-proxy")
                        .at("/spec/template/spec/terminationGracePeriodSeconds")
                        .asLong();
        assertThat(config.listener().drain()).isEqualTo(config.calls().totalStream());
        assertThat(grace)
                .isGreaterThan(
                        config.listener().stopAfter().plus(config.listener().drain()).toSeconds());
    }

    /// The pods' annotation against the proxy's own word on what it takes over while it runs.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "aliases: {a: b}",
                "keys: [{name: a, sha256:"
                        + " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}]",
                "limits: {body: 8MiB}",
                "timeouts: {total: 5m}",
                "headers: minimal",
                "memory: {shed: 80%}",
                "server: {keep_alive: 30s}",
                "server: {stop_after: 20s}",
                "drain_timeout: 2h",
                "pools: [{name: other, kubernetes: {service: other}}]",
                "server: {loops: 3}",
                "server: {transport: nio}",
                "server: {reuse_port: true}",
                "upstream: {idle: 2s}",
                "access_log: {path: stdout}",
                "traces: {endpoint: 'http://a:4318'}",
            })
    void onlyWhatARunningProxyDoesNotTakeOverReplacesPods(String change) throws IOException {
        Rendered before = Chart.SLUICE.render();
        Rendered after = Chart.SLUICE.renderWith("proxy: {config: {" + change + "}}");
        ProxyConfig running = proxy(before);
        ProxyConfig next = proxy(after);
        assertThat(next).isNotEqualTo(running);
        boolean takenOver = running.reloaded(next).equals(next);
        assertThat(annotation(before).equals(annotation(after))).isEqualTo(takenOver);
    }

    @Test
    void schemaKnowsExactlyTheKeysOfTheProxysFile() throws IOException {
        Set<String> ours =
                Set.of(
                        "listen",
                        "admin",
                        "admin_token",
                        "tls.certificate",
                        "tls.key",
                        "tls.client_ca");
        assertSameKeys("/properties/proxy/properties/config", "", ProxyConfig::from, ours);
    }

    @Test
    void schemaKnowsExactlyTheKeysOfTheAutoscalersFile() throws IOException {
        Set<String> ours =
                Set.of(
                        "admin",
                        "admin_token",
                        "state",
                        "scalers",
                        "kubernetes.namespace",
                        "kubernetes.lease",
                        "kubernetes.proxies_token");
        assertSameKeys(
                "/properties/autoscaler/properties/config", "", AutoscalerConfig::from, ours);
    }

    @Test
    void schemaKnowsExactlyTheKeysOfAScaler() throws IOException {
        Set<String> ours =
                Set.of(
                        "scalers[].target.process",
                        "scalers[].proxies.urls",
                        "scalers[].proxies.token");
        JsonNode schema = schema().at("/properties/autoscaler/properties/scalers/items").deepCopy();
        ((ObjectNode) schema.path("properties")).remove("name"); // the resource's, not the spec's
        assertSameKeys(schema, "scalers[]", AutoscalerConfig::from, ours);
    }

    private static JsonNode schema() throws IOException {
        return Chart.YAML.readTree(Chart.SLUICE.folder().resolve("values.schema.json").toFile());
    }

    private static void assertSameKeys(
            String at, String path, Function<ConfigNode, ?> loader, Set<String> chartSets)
            throws IOException {
        assertSameKeys(schema().at(at), path, loader, chartSets);
    }

    /// Asks the loader for the keys that it knows at each object of the schema: it tells them all
    /// to whoever writes one that is like none of them.
    private static void assertSameKeys(
            JsonNode schema, String path, Function<ConfigNode, ?> loader, Set<String> chartSets) {
        var known = new TreeSet<String>(knownTo(loader, path, schema.path("required")));
        known.removeIf(key -> chartSets.contains(path.isEmpty() ? key : path + "." + key));
        var allowed = new TreeSet<String>();
        schema.path("properties").fieldNames().forEachRemaining(allowed::add);
        assertThat(allowed).as("keys of \"%s\"", path).isNotEmpty().isEqualTo(known);
        assertThat(schema.path("additionalProperties").asBoolean(true)).as(path).isFalse();
        for (var property : schema.path("properties").properties()) {
            String at = path.isEmpty() ? property.getKey() : path + "." + property.getKey();
            if (property.getValue().has("properties")) {
                assertSameKeys(property.getValue(), at, loader, chartSets);
            } else if (property.getValue().at("/items").has("properties")) {
                assertSameKeys(property.getValue().path("items"), at + "[]", loader, chartSets);
            }
        }
    }

    /// @param required keys without which the loader does not ask for all others
    private static List<String> knownTo(
            Function<ConfigNode, ?> loader, String path, JsonNode required) {
        var text = new StringBuilder();
        var end = new StringBuilder();
        for (String step : path.isEmpty() ? new String[0] : path.split("\\.")) {
            boolean list = step.endsWith("[]");
            text.append(list ? step.substring(0, step.length() - 2) : step);
            text.append(list ? ": [{" : ": {");
            end.insert(0, list ? "}]" : "}");
        }
        text.append(UNKNOWN).append(": 1");
        required.forEach(key -> text.append(", ").append(key.asText()).append(": 1"));
        String document = "{" + text + end + "}";
        ConfigException refused =
                catchThrowableOfType(
                        ConfigException.class,
                        () -> ConfigSource.parse("test", document, _ -> null, loader));
        assertThat(refused).as(document).isNotNull();
        String fix =
                refused.problems().stream()
                        .filter(p -> p.path().endsWith(UNKNOWN))
                        .map(ConfigProblem::fix)
                        .findFirst()
                        .orElseThrow(() -> new AssertionError(document + ": " + refused));
        assertThat(fix).startsWith("known: ");
        return new ArrayList<>(Arrays.asList(fix.substring("known: ".length()).split(", ")));
    }

    private static String annotation(Rendered rendered) {
        return rendered.one("Deployment", "sluice-proxy")
                .at("/spec/template/metadata/annotations")
                .toString();
    }

    private ProxyConfig proxy(Rendered rendered) throws IOException {
        var file = (ObjectNode) rendered.file("sluice-proxy", "proxy.yaml");
        if (file.has("tls")) {
            // No certificate here; where it will be is what the pod mounts.
            assertThat(file.at("/tls/certificate").asText()).isEqualTo("/etc/sluice/tls/tls.crt");
            assertThat(rendered.one("Deployment", "sluice-proxy").toString())
                    .contains("\"mountPath\":\"/etc/sluice/tls\"");
            file.remove("tls");
        }
        return load(file, ProxyConfig::from);
    }

    private AutoscalerConfig autoscaler(Rendered rendered) throws IOException {
        return load(rendered.file("sluice-autoscaler", "autoscaler.yaml"), AutoscalerConfig::from);
    }

    private <T> T load(JsonNode file, Function<ConfigNode, T> loader) {
        String text = file.toString().replace("file:/etc/sluice/admin/token", "file:" + token);
        return ConfigSource.parse("the ConfigMap", text, _ -> null, loader);
    }
}
