package dev.sluice.cli;

import dev.sluice.shared.ConfigKey;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// One program's half of docs/reference/configuration.md: a table for each section of its file.
///
/// @param keys everything that the program asks for while it reads a file
/// @param restart whether a change of this key takes effect at the next start only
record ConfigurationReference(List<ConfigKey> keys, Predicate<String> restart) {

    String markdown() {
        Map<String, StringBuilder> sections = new LinkedHashMap<>();
        sections.put("", new StringBuilder());
        for (ConfigKey key : keys) {
            if (key.section()) {
                sections.put(key.path(), new StringBuilder());
            }
        }
        for (ConfigKey key : keys) {
            sections.get(parent(key.path())).append(row(key));
        }
        var out = new StringBuilder();
        sections.forEach(
                (path, rows) -> {
                    if (!path.isEmpty()) {
                        out.append("### `").append(heading(path)).append("`\n\n");
                        out.append(sentence(meaning(path).orElseThrow())).append("\n\n");
                    }
                    out.append("| key | takes | default | meaning | a change needs |\n");
                    out.append("|---|---|---|---|---|\n").append(rows).append('\n');
                });
        return out.toString();
    }

    /// The keys that nobody describes.
    Set<String> undescribed() {
        var out = new LinkedHashSet<String>();
        for (ConfigKey key : keys) {
            if (meaning(key.path()).filter(text -> !text.isBlank()).isEmpty()) {
                out.add(key.path() + ", read by " + key.reader().getName());
            }
        }
        return out;
    }

    /// The keys that were asked for and that the file, whose keys these are, does not write.
    Set<String> untyped() {
        var out = new LinkedHashSet<String>();
        keys.stream().filter(key -> key.type().isEmpty()).forEach(key -> out.add(key.path()));
        return out;
    }

    private String row(ConfigKey key) {
        String name = key.path().substring(key.path().lastIndexOf('.') + 1);
        String text =
                key.section()
                        ? "[below](#" + anchor(heading(key.path())) + ")"
                        : meaning(key.path()).orElse("");
        return "| `"
                + name
                + "` | "
                + key.type()
                + " | "
                + shown(key)
                + " | "
                + text.replace("|", "\\|")
                + " | "
                + (key.section() ? "" : restart.test(key.path()) ? "restart" : "reload")
                + " |\n";
    }

    private static String shown(ConfigKey key) {
        String value = key.ifAbsent();
        if (value == null || value.isEmpty()) {
            return "";
        }
        return key.required() ? value : "`" + value + "`";
    }

    /// Of a section without a description of its own: what the record says that is read from it.
    private Optional<String> meaning(String path) {
        ConfigKey key = keys.stream().filter(k -> k.path().equals(path)).findFirst().orElseThrow();
        Optional<String> own =
                DocComments.of(key.reader(), path.substring(path.lastIndexOf('.') + 1));
        return own.isPresent() || !key.section()
                ? own
                : keys.stream()
                        .filter(child -> parent(child.path()).equals(path) && !child.section())
                        .findFirst()
                        .map(child -> DocComments.intro(child.reader()));
    }

    private static String sentence(String text) {
        String upper = Character.toUpperCase(text.charAt(0)) + text.substring(1);
        return upper.endsWith(".") ? upper : upper + ".";
    }

    /// `pools[]` for the list `pools`.
    private String heading(String path) {
        boolean list = keys.stream().anyMatch(k -> k.path().startsWith(path + "[]."));
        return list ? path + "[]" : path;
    }

    /// As GitHub makes it of a heading.
    private static String anchor(String heading) {
        return heading.toLowerCase(Locale.ROOT).replaceAll("[^a-z_]", "");
    }

    /// The section that a key stands in, as it is called in `keys`.
    private static String parent(String path) {
        int dot = path.lastIndexOf('.');
        String section = dot < 0 ? "" : path.substring(0, dot);
        return section.endsWith("[]") ? section.substring(0, section.length() - 2) : section;
    }
}
