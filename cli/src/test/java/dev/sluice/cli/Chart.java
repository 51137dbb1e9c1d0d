package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import com.marcnuri.helm.TemplateCommand;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// A chart of this repository, rendered by Helm's own library as `helm template` does.
///
/// @param always values that are set whatever the files say
record Chart(Path folder, Map<String, String> always) {
    static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

    /// With a Secret of its own, because the library asks a cluster for the one to be kept.
    static final Chart SLUICE =
            new Chart(Path.of("../charts/sluice"), Map.of("adminToken.existingSecret", "admin"));

    static final Chart SIMULATED_REPLICAS =
            new Chart(Path.of("../charts/simulated-replicas"), Map.of());

    /// The values files that come with the chart.
    List<Path> examples() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("examples"))) {
            return files.sorted().toList();
        }
    }

    LintResult lint() {
        return new Helm(folder).lint().strict().call();
    }

    /// @throws IllegalStateException with Helm's message, when a value is refused
    Rendered render(Path... values) throws IOException {
        TemplateCommand template =
                new Helm(folder)
                        .template()
                        .withName("sluice")
                        .withNamespace("ml")
                        .withKubeVersion("1.30.0");
        always.forEach(template::set);
        for (Path file : values) {
            template.withValuesFile(file.toAbsolutePath());
        }
        var objects = new ArrayList<JsonNode>();
        try (var documents = YAML.readerFor(JsonNode.class).readValues(template.call())) {
            while (documents.hasNextValue()) {
                JsonNode object = (JsonNode) documents.nextValue();
                if (object.isObject()) {
                    objects.add(object);
                }
            }
        }
        return new Rendered(objects);
    }

    /// The same with values as text.
    Rendered renderWith(String values) throws IOException {
        Path file = Files.createTempFile("values", ".yaml");
        try {
            return render(Files.writeString(file, values));
        } finally {
            Files.delete(file);
        }
    }

    /// The objects that a chart makes.
    record Rendered(List<JsonNode> objects) {
        List<JsonNode> all(String kind) {
            return objects.stream().filter(o -> o.path("kind").asText().equals(kind)).toList();
        }

        JsonNode one(String kind, String name) {
            return all(kind).stream()
                    .filter(o -> o.at("/metadata/name").asText().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no " + kind + " " + name));
        }

        /// The specs of all pods, of Deployments and bare ones.
        List<JsonNode> pods() {
            return Stream.concat(
                            all("Deployment").stream().map(d -> d.at("/spec/template/spec")),
                            all("Pod").stream().map(p -> p.path("spec")))
                    .toList();
        }

        List<JsonNode> containers() {
            return pods().stream().flatMap(p -> p.path("containers").valueStream()).toList();
        }

        /// For the names of parameterized tests.
        @Override
        public String toString() {
            return objects.size() + " objects";
        }

        /// A file of a ConfigMap.
        JsonNode file(String configMap, String name) throws IOException {
            return YAML.readTree(one("ConfigMap", configMap).at("/data").path(name).asText());
        }
    }
}
