package dev.sluice.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// What the `///` comment above a record says of the keys of the configuration that it reads.
///
/// A key is described by the `@param` of the same name (`max_idle` by `maxIdle`), by a `@param`
/// that begins with the key where the record calls it something else (`@param head `head_timeout`:
/// …`), or by an entry of a list (`- `admin`: …`).
final class DocComments {
    private static final List<String> MODULES = List.of("shared", "proxy", "autoscaler");

    private DocComments() {}

    /// The description of a key, or nothing.
    static Optional<String> of(Class<?> reader, String key) {
        String comment = comment(reader);
        return first(comment, "(?:@param \\w+|-) `" + key + "`: (.*?)")
                .or(() -> first(comment, "@param " + camel(key) + " ((?!`" + "\\w+`:).*?)"));
    }

    /// The first paragraph.
    static String intro(Class<?> reader) {
        String text = comment(reader).strip();
        return joined(text.split("\n\n|\n@|\n- ", 2)[0]);
    }

    /// Up to the next tag, entry or empty line.
    private static Optional<String> first(String comment, String pattern) {
        Matcher m =
                Pattern.compile(
                                "^" + pattern + "(?=\n@|\n- |\n\n|\\z)",
                                Pattern.DOTALL | Pattern.MULTILINE)
                        .matcher(comment);
        return m.find() ? Optional.of(joined(m.group(1))) : Optional.empty();
    }

    /// The comment above the class's declaration, without its slashes.
    private static String comment(Class<?> type) {
        Pattern declared =
                Pattern.compile(
                        "((?:^ *///.*\n)+)(?: *@.*\n)*.*\\b(?:record|class|interface) "
                                + type.getSimpleName()
                                + "\\b",
                        Pattern.MULTILINE);
        Matcher m = declared.matcher(source(type));
        return m.find()
                ? m.group(1)
                        .lines()
                        .map(line -> line.strip().replaceFirst("^/// ?", ""))
                        .collect(Collectors.joining("\n"))
                : "";
    }

    private static String source(Class<?> type) {
        String path = type.getName().replaceAll("\\$.*", "").replace('.', '/') + ".java";
        for (String module : MODULES) {
            Path file = Path.of("..", module, "src/main/java").resolve(path);
            if (Files.exists(file)) {
                try {
                    return Files.readString(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
        throw new IllegalStateException("no source of " + type);
    }

    private static String joined(String text) {
        return text.strip().replaceAll("\\s+", " ");
    }

    private static String camel(String key) {
        return Pattern.compile("_(\\w)")
                .matcher(key)
                .replaceAll(m -> m.group(1).toUpperCase(Locale.ROOT));
    }
}
