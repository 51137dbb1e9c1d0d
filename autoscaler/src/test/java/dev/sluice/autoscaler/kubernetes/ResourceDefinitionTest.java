package dev.sluice.autoscaler.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.utils.Serialization;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

class ResourceDefinitionTest {
    /// What the chart installs. To write it anew after a change of the types: `-Dcrd.write=true`.
    static final Path SHIPPED = Path.of("../charts/sluice/crds/inferencescalers.sluice.dev.yaml");

    @TempDir Path folder;

    @Test
    void shippedDefinitionIsTheOneOfTheTypes() throws IOException {
        new CRDGenerator()
                .customResourceClasses(InferenceScaler.class)
                .forCRDVersions("v1")
                .inOutputDir(folder.toFile())
                .detailedGenerate();
        String made = inOrder(folder.resolve("inferencescalers.sluice.dev-v1.yml"));
        if (Boolean.getBoolean("crd.write")) {
            Files.createDirectories(SHIPPED.getParent());
            Files.writeString(SHIPPED, made);
        }
        assertThat(SHIPPED).hasContent(made);
    }

    /// The generator sorts the columns by path; kubectl shows them as they stand, and they tell the
    /// story in the order of the annotations.
    private static String inOrder(Path generated) throws IOException {
        var definition =
                Serialization.unmarshal(
                        Files.readString(generated), CustomResourceDefinition.class);
        List<String> order =
                Arrays.stream(
                                InferenceScaler.class.getAnnotationsByType(
                                        AdditionalPrinterColumn.class))
                        .map(AdditionalPrinterColumn::name)
                        .toList();
        definition
                .getSpec()
                .getVersions()
                .getFirst()
                .getAdditionalPrinterColumns()
                .sort(Comparator.comparingInt(c -> order.indexOf(c.getName())));
        return Serialization.asYaml(definition);
    }
}
