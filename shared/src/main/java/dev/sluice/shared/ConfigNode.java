package dev.sluice.shared;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;

import org.jspecify.annotations.Nullable;

import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/// One object of a configuration file, read field by field by the record that it becomes.
///
/// Every reader returns the value, or the default when the field is absent *or wrong*: a wrong
/// field is put on the list of problems and reading goes on, so that all problems are reported at
/// once. {@link #finish()} reports the keys that nobody asked for, each with the nearest known one.
///
/// One thread; not kept after loading.
public final class ConfigNode {
    private final JsonNode json;
    private final String path;
    private final ConfigSource source;
    private final Set<String> known = new LinkedHashSet<>();

    ConfigNode(JsonNode json, String path, ConfigSource source) {
        this.json = json;
        this.path = path;
        this.source = source;
        if (!json.isObject() && !json.isMissingNode() && !json.isNull()) {
            source.problem(path, "expected key: value pairs, found " + show(json), "");
        }
    }

    /// Whether the field was written, and not as null.
    public boolean has(String key) {
        return !take(key, "", null).isMissingNode();
    }

    public String string(String key, String ifAbsent) {
        return text(key, ifAbsent, take(key, "text", ifAbsent));
    }

    private String text(String key, String ifAbsent, JsonNode value) {
        if (value.isMissingNode()) {
            return ifAbsent;
        }
        if (!value.isValueNode()) {
            problem(key, "expected text, found " + show(value), "");
            return ifAbsent;
        }
        return source.expand(at(key), value.asText());
    }

    public @Nullable String stringOrNull(String key) {
        JsonNode value = take(key, "text", null);
        return value.isMissingNode() ? null : text(key, "", value);
    }

    /// A file that will be read; null when the field is absent or the file cannot be read.
    public @Nullable Path file(String key) {
        JsonNode value = take(key, "file", null);
        if (value.isMissingNode()) {
            return null;
        }
        String text = text(key, "", value);
        if (!source.mayRead(text)) {
            problem(key, text + " is not read for a request", "name a file that runs already");
            return null;
        }
        try {
            Path file = Path.of(text);
            if (Files.isReadable(file) && !Files.isDirectory(file)) {
                return file;
            }
        } catch (InvalidPathException e) {
            // told below
        }
        problem(key, text + " cannot be read", "check the path and who may read the file");
        return null;
    }

    /// A field that must be there.
    public String required(String key, String fix) {
        JsonNode value = take(key, "text", ConfigKey.REQUIRED);
        if (value.isMissingNode()) {
            problem(key, "is missing", fix);
            return "";
        }
        return text(key, "", value);
    }

    public List<String> strings(String key) {
        var out = new ArrayList<String>();
        JsonNode value = take(key, "list of text", null);
        if (value.isMissingNode()) {
            return out;
        }
        if (!value.isArray()) {
            problem(key, "expected a list, found " + show(value), "write [a, b]");
            return out;
        }
        for (int i = 0; i < value.size(); i++) {
            if (value.get(i).isValueNode()) {
                out.add(source.expand(at(key) + "[" + i + "]", value.get(i).asText()));
            } else {
                problem(key, "expected text in the list, found " + show(value.get(i)), "");
            }
        }
        return out;
    }

    public boolean bool(String key, boolean ifAbsent) {
        JsonNode value = take(key, "`true`, `false`", ifAbsent);
        if (value.isMissingNode()) {
            return ifAbsent;
        }
        return switch (value.asText().toLowerCase(Locale.ROOT)) {
            case "true", "on", "yes" -> true;
            case "false", "off", "no" -> false;
            default -> {
                problem(key, "expected true or false, found " + show(value), "");
                yield ifAbsent;
            }
        };
    }

    public int integer(String key, int ifAbsent, int min, int max) {
        String range = max == Integer.MAX_VALUE ? " or more" : " to " + max;
        JsonNode value = take(key, "whole number, " + min + range, ifAbsent);
        if (value.isMissingNode()) {
            return ifAbsent;
        }
        String text = source.expand(at(key), value.asText());
        try {
            int number = Integer.parseInt(text.strip());
            if (number >= min && number <= max) {
                return number;
            }
            problem(key, number + " is out of range", "write " + min + " to " + max);
        } catch (NumberFormatException e) {
            problem(key, "expected a whole number, found " + show(value), "");
        }
        return ifAbsent;
    }

    public double number(String key, double ifAbsent, double min, double max) {
        String range = plain(min) + " to " + plain(max);
        JsonNode value = take(key, "number, " + range, ifAbsent);
        if (value.isMissingNode()) {
            return ifAbsent;
        }
        String text = source.expand(at(key), value.asText()).strip();
        try {
            double number =
                    text.endsWith("%")
                            ? Double.parseDouble(text.substring(0, text.length() - 1)) / 100
                            : Double.parseDouble(text);
            if (number >= min && number <= max) {
                return number;
            }
            problem(key, text + " is out of range", "write " + range);
        } catch (NumberFormatException e) {
            problem(key, "expected a number, found " + show(value), "");
        }
        return ifAbsent;
    }

    /// A time with its unit: `500ms`, `30s`, `5m`, `2h`.
    public Duration duration(String key, Duration ifAbsent) {
        return quantity(key, "time", ifAbsent, Units::duration);
    }

    /// A size in bytes with its unit: `64KiB`, `1MiB`, `2GiB`, `10MB`, `512B`.
    public long bytes(String key, long ifAbsent) {
        return quantity(key, "size", ifAbsent, Units::bytes);
    }

    /// Host and port to listen on: `127.0.0.1:8080`, `[::1]:8080`, `:8080` for every address.
    public InetSocketAddress address(String key, InetSocketAddress ifAbsent) {
        return quantity(key, "address", ifAbsent, Units::address);
    }

    /// One of an enum's constants, written in lower case with `_`.
    public <E extends Enum<E>> E choice(String key, Class<E> type, E ifAbsent) {
        Set<String> names = new LinkedHashSet<>();
        EnumSet.allOf(type).forEach(constant -> names.add(word(constant)));
        JsonNode value = take(key, "`" + String.join("`, `", names) + "`", ifAbsent);
        if (value.isMissingNode()) {
            return ifAbsent;
        }
        String text = source.expand(at(key), value.asText());
        for (E constant : EnumSet.allOf(type)) {
            if (word(constant).equals(text)) {
                return constant;
            }
        }
        problem(key, "\"" + text + "\" is not known", suggest(text, names));
        return ifAbsent;
    }

    /// The object under this key; an empty one when absent, so that its fields take their defaults.
    public ConfigNode object(String key) {
        return new ConfigNode(take(key, ConfigKey.SECTION, null), at(key), source);
    }

    /// Reads a list of objects, each with its own `finish()` done here.
    public <T> List<T> objects(String key, Function<ConfigNode, T> reader) {
        JsonNode value = take(key, ConfigKey.SECTION + "s, a list", null);
        var out = new ArrayList<T>();
        if (value.isMissingNode()) {
            return out;
        }
        if (!value.isArray()) {
            problem(key, "expected a list, found " + show(value), "start each entry with \"- \"");
            return out;
        }
        for (int i = 0; i < value.size(); i++) {
            var node = new ConfigNode(value.get(i), at(key) + "[" + i + "]", source);
            out.add(reader.apply(node));
            node.finish();
        }
        return out;
    }

    /// Reads an object as a map of text, in the order written.
    public Map<String, String> map(String key) {
        var out = new LinkedHashMap<String, String>();
        JsonNode value = take(key, "map of text", null);
        if (value.isMissingNode()) {
            return out;
        }
        if (!value.isObject()) {
            problem(key, "expected key: value pairs, found " + show(value), "");
            return out;
        }
        value.properties()
                .forEach(e -> out.put(e.getKey(), source.expand(at(key), e.getValue().asText())));
        return out;
    }

    /// Puts a problem with a field of this object on the list.
    public void problem(String key, String message, String fix) {
        source.problem(at(key), message, fix);
    }

    /// Reports every key that was written and never read.
    public void finish() {
        json.fieldNames()
                .forEachRemaining(
                        key -> {
                            if (!known.contains(key)) {
                                problem(key, "unknown key", suggest(key, known));
                            }
                        });
    }

    private <T> T quantity(String key, String type, T ifAbsent, Function<String, T> parse) {
        JsonNode value = take(key, type, ifAbsent);
        if (value.isMissingNode()) {
            return ifAbsent;
        }
        try {
            return parse.apply(source.expand(at(key), value.asText()));
        } catch (IllegalArgumentException e) {
            problem(key, String.valueOf(e.getMessage()), "");
            return ifAbsent;
        }
    }

    private JsonNode take(String key, String type, @Nullable Object ifAbsent) {
        known.add(key);
        source.asked(at(key), type, ifAbsent);
        JsonNode value = json.get(key);
        return value == null || value.isNull() ? MissingNode.getInstance() : value;
    }

    private String at(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    /// A constant as it is written.
    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static String plain(double number) {
        return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
    }

    private static String show(JsonNode value) {
        String text = value.toString();
        return text.length() > 60 ? text.substring(0, 60) + "…" : text;
    }

    /// "did you mean x" for the nearest of the known words, else all of them.
    public static String suggest(String word, Set<String> known) {
        return known.stream()
                .min(Comparator.comparingInt(k -> distance(word, k)))
                .filter(k -> distance(word, k) <= Math.max(2, word.length() / 3))
                .map(k -> "did you mean " + k + "?")
                .orElse("known: " + String.join(", ", known));
    }

    /// Levenshtein's edit distance, ignoring case.
    private static int distance(String a, String b) {
        String x = a.toLowerCase(Locale.ROOT);
        String y = b.toLowerCase(Locale.ROOT);
        int[] row = new int[y.length() + 1];
        Arrays.setAll(row, i -> i);
        for (int i = 1; i <= x.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= y.length(); j++) {
                int above = row[j];
                int change = x.charAt(i - 1) == y.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j] + 1, row[j - 1] + 1), diagonal + change);
                diagonal = above;
            }
        }
        return row[y.length()];
    }
}
