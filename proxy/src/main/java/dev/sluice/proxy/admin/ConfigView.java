package dev.sluice.proxy.admin;

import dev.sluice.shared.Units;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.RecordComponent;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/// The effective configuration as people would write it: records as objects in snake_case, times
/// with units, and of a secret only whether it is set.
final class ConfigView {
    private ConfigView() {}

    static @Nullable Object of(@Nullable Object value) {
        return switch (value) {
            case null -> null;
            case Duration time -> Units.show(time);
            case InetSocketAddress address -> address.getHostString() + ":" + address.getPort();
            case Enum<?> constant -> constant.name().toLowerCase(Locale.ROOT);
            case Number number -> number;
            case Boolean flag -> flag;
            case Collection<?> list -> list.stream().map(ConfigView::of).toList();
            case Map<?, ?> map -> map(map);
            case Record record when record.getClass().getRecordComponents().length == 0 ->
                    snake(record.getClass().getSimpleName());
            case Record record when printsItself(record) -> record.toString();
            case Record record -> fields(record);
            default -> value.toString();
        };
    }

    private static Map<String, @Nullable Object> map(Map<?, ?> map) {
        var out = new LinkedHashMap<String, @Nullable Object>();
        map.forEach((key, value) -> out.put(String.valueOf(key), of(value)));
        return out;
    }

    private static Map<String, @Nullable Object> fields(Record record) {
        var out = new LinkedHashMap<String, @Nullable Object>();
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            String name = snake(component.getName());
            Object value = read(component, record);
            out.put(
                    name,
                    secret(name) && value != null && !(value instanceof Boolean)
                            ? "(set)"
                            : of(value));
        }
        return out;
    }

    static boolean secret(String name) {
        return name.matches(".*(token(?!s)|secret|password|sha256|credential|api_key).*");
    }

    /// A record with its own text, as a URL: that is how people write it.
    static boolean printsItself(Record record) {
        return !record.toString().startsWith(record.getClass().getSimpleName() + "[");
    }

    static @Nullable Object read(RecordComponent component, Record record) {
        try {
            var accessor = component.getAccessor();
            accessor.setAccessible(true);
            return accessor.invoke(record);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("a record's own field: " + component, e);
        }
    }

    static String snake(String name) {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
    }
}
