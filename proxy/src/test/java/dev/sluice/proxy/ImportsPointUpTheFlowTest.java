package dev.sluice.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Holds the order of the proxy's packages: each imports only packages to its left.
class ImportsPointUpTheFlowTest {
    private static final List<String> FLOW =
            List.of(
                    "http",
                    "request",
                    "admission",
                    "cache",
                    "pool",
                    "discovery",
                    "routing",
                    "upstream",
                    "response",
                    "accounting",
                    "call",
                    "listener",
                    "admin");
    private static final Path SOURCES = Path.of("src/main/java/dev/sluice/proxy");

    /// A use of another package of the proxy, imported or written out.
    private static final Pattern USE =
            Pattern.compile("dev\\.sluice\\.proxy(?:\\.([a-z_]+))?\\.(?:[A-Z]|\\*)");

    @Test
    void everyPackageHasItsPlaceInTheFlow() throws IOException {
        try (Stream<Path> folders = Files.list(SOURCES)) {
            assertThat(folders.filter(Files::isDirectory).map(p -> p.getFileName().toString()))
                    .isSubsetOf(FLOW);
        }
    }

    @Test
    void packagesImportOnlyPackagesToTheirLeft() throws IOException {
        var wrong = new ArrayList<String>();
        for (int i = 0; i < FLOW.size(); i++) {
            List<String> allowed = FLOW.subList(0, i + 1);
            Path folder = SOURCES.resolve(FLOW.get(i));
            if (!Files.isDirectory(folder)) {
                continue;
            }
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
                    wrong.addAll(usesOutside(allowed, file));
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    /// Each use of a package that is not allowed; the root package stands for the wiring, which
    /// nothing may know.
    private static List<String> usesOutside(List<String> allowed, Path file) throws IOException {
        var wrong = new ArrayList<String>();
        for (String line : Files.readAllLines(file)) {
            Matcher use = USE.matcher(line);
            while (use.find()) {
                String used = use.group(1) == null ? "(the root)" : use.group(1);
                if (!allowed.contains(used)) {
                    wrong.add(SOURCES.relativize(file) + " uses " + used + ": " + line.strip());
                }
            }
        }
        return wrong;
    }
}
