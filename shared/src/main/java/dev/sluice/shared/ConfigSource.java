package dev.sluice.shared;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// A YAML (or JSON) document being read, and the problems found in it so far.
///
/// `${NAME}` and `${NAME:-default}` are replaced from the environment, and a value `file:PATH` by
/// the file's text without its final line break: for secrets.
public final class ConfigSource {
    private static final Pattern VARIABLE =
            Pattern.compile("\\$\\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?}");

    private final Map<String, Integer> lines = new HashMap<>();
    private final List<ConfigProblem> problems = new ArrayList<>();

    /// Fields whose text could not be had: what else is wrong with them follows from that.
    private final Set<String> unread = new HashSet<>();

    private final UnaryOperator<@Nullable String> environment;
    private final Predicate<String> mayRead;
    private @Nullable Map<String, ConfigKey> asked;

    private ConfigSource(UnaryOperator<@Nullable String> environment, Predicate<String> mayRead) {
        this.environment = environment;
        this.mayRead = mayRead;
    }

    /// Reads a file into the value that `reader` makes of its top-level object.
    ///
    /// @throws ConfigException with all problems: of syntax, of single fields, of unknown keys
    public static <T> T read(Path file, Function<ConfigNode, T> reader) {
        return parse(file.toString(), text(file), System::getenv, reader);
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw unreadable(file, "there is no such file", "check --config");
        } catch (AccessDeniedException e) {
            throw unreadable(file, "may not be read by this user", "check who owns the file");
        } catch (CharacterCodingException e) {
            throw unreadable(file, "is not text in UTF-8", "check --config");
        } catch (IOException e) {
            throw Files.isDirectory(file)
                    ? unreadable(file, "is a folder", "name a file in it")
                    : unreadable(file, "cannot be read: " + e.getMessage(), "");
        }
    }

    private static ConfigException unreadable(Path file, String message, String fix) {
        return new ConfigException(
                file.toString(), List.of(new ConfigProblem("", 0, message, fix)));
    }

    /// Reads text; `name` is what errors call it.
    public static <T> T parse(
            String name,
            String text,
            UnaryOperator<@Nullable String> environment,
            Function<ConfigNode, T> reader) {
        return parse(name, text, new ConfigSource(environment, _ -> true), reader);
    }

    /// Reads text that came over the network. It may name only those files and variables that the
    /// trusted file names too: a problem's text would show what is in them.
    public static <T> T parseLike(
            String name, String text, Path trusted, Function<ConfigNode, T> reader) {
        String known = readable(trusted);
        var source =
                new ConfigSource(
                        variable ->
                                known.contains("${" + variable) ? System.getenv(variable) : null,
                        known::contains);
        return parse(name, text, source, reader);
    }

    /// Reads text that others wrote: it may name no file and no variable.
    public static <T> T parseForeign(String name, String text, Function<ConfigNode, T> reader) {
        return parse(name, text, new ConfigSource(_ -> null, _ -> false), reader);
    }

    /// The keys that `reader` asks for while it reads this text, in the order in which it does.
    /// What a reader asks for only where something is written is found when the text writes it.
    ///
    /// @throws ConfigException when the text has problems
    public static List<ConfigKey> keys(
            String name,
            String text,
            UnaryOperator<@Nullable String> environment,
            Function<ConfigNode, ?> reader) {
        var source = new ConfigSource(environment, _ -> true);
        var asked = new LinkedHashMap<String, ConfigKey>();
        source.asked = asked;
        parse(name, text, source, reader);
        return List.copyOf(asked.values());
    }

    private static String readable(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }

    private static <T> T parse(
            String name, String text, ConfigSource source, Function<ConfigNode, T> reader) {
        JsonNode root = source.tree(name, text);
        var node = new ConfigNode(root, "", source);
        T value = reader.apply(node);
        node.finish();
        if (!source.problems.isEmpty()) {
            source.problems.sort(Comparator.comparingInt(ConfigProblem::line));
            throw new ConfigException(name, source.problems);
        }
        return value;
    }

    void problem(String path, String message, String fix) {
        if (!unread.contains(path)) {
            problems.add(new ConfigProblem(path, lineOf(path), message, fix));
        }
    }

    /// Told once; an empty text stands in for the field's.
    private String unread(String path, String message, String fix) {
        problem(path, message, fix);
        unread.add(path);
        return "";
    }

    /// Writes down that a key was asked for, if anybody wants to know.
    void asked(String path, String type, @Nullable Object ifAbsent) {
        Map<String, ConfigKey> to = asked;
        if (to != null) {
            ConfigKey key = ConfigKey.of(path, type, ifAbsent, reader());
            to.merge(key.path(), key, ConfigKey::and);
        }
    }

    /// The class that is reading: the nearest caller outside of this package's two readers.
    private static Class<?> reader() {
        return StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE)
                .walk(
                        frames ->
                                frames.<Class<?>>map(StackWalker.StackFrame::getDeclaringClass)
                                        .filter(c -> c != ConfigSource.class)
                                        .filter(c -> c != ConfigNode.class)
                                        .findFirst()
                                        .orElseThrow());
    }

    /// Whether this document may name the file.
    boolean mayRead(String file) {
        return mayRead.test(file);
    }

    /// Replaces variables and file references in a value.
    String expand(String path, String text) {
        if (text.startsWith("file:")) {
            if (!mayRead.test(text)) {
                return unread(
                        path, text + " is not read for a request", "name a file that runs already");
            }
            try {
                return Files.readString(Path.of(text.substring(5))).stripTrailing();
            } catch (IOException | RuntimeException e) {
                return unread(path, text + " cannot be read: " + e.getMessage(), "");
            }
        }
        if (text.indexOf("${") < 0) {
            return text;
        }
        Matcher m = VARIABLE.matcher(text);
        return m.replaceAll(
                r -> {
                    String value = environment.apply(r.group(1));
                    if (value == null) {
                        value = r.group(2);
                    }
                    if (value == null) {
                        value =
                                unread(
                                        path,
                                        "environment variable " + r.group(1) + " is not set",
                                        "set it, or write ${" + r.group(1) + ":-default}");
                    }
                    return Matcher.quoteReplacement(value);
                });
    }

    /// The line of the field, or of the nearest thing around it.
    private int lineOf(String path) {
        for (String p = path; !p.isEmpty(); ) {
            Integer line = lines.get(p);
            if (line != null) {
                return line;
            }
            int cut = Math.max(p.lastIndexOf('.'), p.lastIndexOf('['));
            p = cut < 0 ? "" : p.substring(0, cut);
        }
        return 0;
    }

    private JsonNode tree(String name, String text) {
        var factory =
                YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
        var mapper = new ObjectMapper(factory);
        try (JsonParser parser = factory.createParser(text)) {
            index(parser);
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            String what =
                    e.getOriginalMessage()
                            .lines()
                            .filter(line -> !line.isBlank() && !line.startsWith(" "))
                            .collect(Collectors.joining(": "));
            throw new ConfigException(
                    name,
                    List.of(
                            new ConfigProblem(
                                    "",
                                    at == null ? 0 : at.getLineNr(),
                                    what,
                                    "fix the YAML syntax")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try {
            JsonNode root = mapper.readTree(text);
            return root == null || root.isNull() ? MissingNode.getInstance() : root;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("parsed once, not twice", e);
        }
    }

    /// Remembers the line on which each field starts.
    private void index(JsonParser parser) throws IOException {
        for (JsonToken t = parser.nextToken(); t != null; t = parser.nextToken()) {
            if (t == JsonToken.FIELD_NAME || t.isStructStart() || t.isScalarValue()) {
                String pointer = parser.getParsingContext().pathAsPointer().toString();
                lines.putIfAbsent(dotted(pointer), parser.currentTokenLocation().getLineNr());
            }
        }
    }

    /// `/pools/0/url` as `pools[0].url`.
    private static String dotted(String pointer) {
        var out = new StringBuilder();
        for (String part : pointer.split("/")) {
            if (part.isEmpty()) {
                continue;
            }
            if (part.chars().allMatch(Character::isDigit)) {
                out.append('[').append(part).append(']');
            } else {
                out.append(out.isEmpty() ? "" : ".")
                        .append(part.replace("~1", "/").replace("~0", "~"));
            }
        }
        return out.toString();
    }
}
