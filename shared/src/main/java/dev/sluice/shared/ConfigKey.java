package dev.sluice.shared;

import org.jspecify.annotations.Nullable;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;

/// A key that was asked for while a configuration was read: what the reference is made of.
///
/// @param path places in lists left out, as `pools[].health.interval`
/// @param type what it takes, in words; empty when it was only asked whether the key is there
/// @param ifAbsent its default as one would write it; null when it has none
/// @param reader the class that asked; its doc comment says what the key means
public record ConfigKey(String path, String type, @Nullable String ifAbsent, Class<?> reader) {
    static final String REQUIRED = "required";
    static final String SECTION = "section";

    static ConfigKey of(String path, String type, @Nullable Object ifAbsent, Class<?> reader) {
        String key = path.replaceAll("\\[\\d+]", "[]");
        return new ConfigKey(key, type, ifAbsent == null ? null : written(ifAbsent), reader);
    }

    /// Two questions for one key. One that began by asking whether it is there has no default; else
    /// the first default counts, and both types where they differ.
    ConfigKey and(ConfigKey later) {
        if (type.isEmpty()) {
            return new ConfigKey(path, later.type, null, later.reader);
        }
        boolean same = later.type.isEmpty() || type.equals(later.type);
        return same ? this : new ConfigKey(path, type + " or " + later.type, ifAbsent, reader);
    }

    public boolean required() {
        return REQUIRED.equals(ifAbsent);
    }

    /// Whether it holds further keys.
    public boolean section() {
        return type.startsWith(SECTION);
    }

    private static String written(Object value) {
        return switch (value) {
            case Duration time -> Units.show(time);
            case Long bytes -> Units.show(bytes);
            case InetSocketAddress at -> at.getHostString() + ":" + at.getPort();
            case Enum<?> constant -> ConfigNode.word(constant);
            case Double number when number == Math.rint(number) ->
                    Long.toString(number.longValue());
            case Map<?, ?> map when map.isEmpty() -> "";
            default -> value.toString();
        };
    }
}
