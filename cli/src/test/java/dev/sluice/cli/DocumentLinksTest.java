package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Links between the repository's own documents lead to files and headings that exist.
class DocumentLinksTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#\\s]*)(?:#([^)\\s]+))?\\)");

    @Test
    void everyLinkLeadsSomewhere() throws IOException {
        var dead = new ArrayList<String>();
        int links = 0;
        for (Path document : documents()) {
            Matcher m = LINK.matcher(Files.readString(document).replaceAll("(?s)```.*?```", ""));
            while (m.find()) {
                if (m.group(1).contains(":")) {
                    continue;
                }
                links++;
                Path to =
                        m.group(1).isEmpty()
                                ? document
                                : document.resolveSibling(m.group(1)).normalize();
                if (!Files.exists(to)
                        || (m.group(2) != null && !headings(to).contains(m.group(2)))) {
                    dead.add(document + ": " + m.group());
                }
            }
        }
        assertThat(dead).isEmpty();
        assertThat(links).isGreaterThan(50);
    }

    private static List<Path> documents() throws IOException {
        var out = new ArrayList<Path>();
        for (Path folder : List.of(ROOT, ROOT.resolve("docs"))) {
            int depth = folder.equals(ROOT) ? 1 : 9;
            try (Stream<Path> files = Files.walk(folder, depth)) {
                files.filter(f -> f.toString().endsWith(".md")).forEach(out::add);
            }
        }
        return out;
    }

    /// Anchors as GitHub makes them.
    private static List<String> headings(Path document) throws IOException {
        return Files.readAllLines(document).stream()
                .filter(line -> line.startsWith("#"))
                .map(line -> line.replaceFirst("^#+ ", "").toLowerCase(Locale.ROOT))
                .map(line -> line.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
                .toList();
    }
}
