package dev.sluice.proxy.admin;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// What differs between two configurations, field by field, under the names that people write.
/// Entries of lists are told apart by their name or URL, not by their place; of a secret it is only
/// said that it differs.
public final class ConfigDiff {
    /// Records are shaped by who uses them, files by who writes them: where the two names differ.
    private static final Map<String, String> WRITTEN =
            Map.ofEntries(
                    Map.entry("admin.host", "admin"),
                    Map.entry("admin.port", "admin"),
                    Map.entry("admin.token", "admin_token"),
                    Map.entry("admin.read_token", "admin_read_token"),
                    Map.entry("calls.body_limit", "limits.body"),
                    Map.entry("calls.replay_limit", "limits.replay"),
                    Map.entry("calls.headers", "headers"),
                    Map.entry("calls.first_byte_per1k_tokens", "timeouts.first_byte_per_1k_tokens"),
                    Map.entry("calls.web_socket.max_message", "limits.websocket_message"),
                    Map.entry("listener.head", "server.head_timeout"),
                    Map.entry("listener.drain", "drain_timeout"),
                    Map.entry("listener.max_per_address", "server.max_connections_per_address"),
                    Map.entry("listener.max_requests", "server.max_requests_per_connection"));

    /// Longer ones first.
    private static final List<Map.Entry<String, String>> PREFIXES =
            List.of(
                    Map.entry("calls.web_socket.", "timeouts.websocket_"),
                    Map.entry("calls.", "timeouts."),
                    Map.entry("listener.tls", "tls"),
                    Map.entry("listener.", "server."),
                    Map.entry("telemetry.", ""));

    private final List<Change> changes = new ArrayList<>();

    /// One difference.
    ///
    /// @param path as written: `pools[llama].queue.depth`
    /// @param change `added`, `removed` or `changed`
    public record Change(
            String path, String change, @Nullable Object before, @Nullable Object after) {}

    private ConfigDiff() {}

    /// @param before a record, as `after`, which is of the same type
    public static List<Change> between(Object before, Object after) {
        var diff = new ConfigDiff();
        diff.compare("", before, after);
        return List.copyOf(diff.changes);
    }

    private void compare(String path, @Nullable Object before, @Nullable Object after) {
        if (Objects.equals(before, after)) {
            return;
        }
        if (before instanceof Record b && after instanceof Record a && sameShape(b, a)) {
            fields(path, b, a);
        } else if (before instanceof Map<?, ?> b && after instanceof Map<?, ?> a) {
            entries(path, b, a);
        } else if (before instanceof Collection<?> b
                && after instanceof Collection<?> a
                && keyed(b)
                && keyed(a)) {
            entries(path, byKey(b), byKey(a));
        } else {
            tell(path, ConfigView.of(before), ConfigView.of(after));
        }
    }

    private static boolean sameShape(Record before, Record after) {
        return before.getClass() == after.getClass() && !ConfigView.printsItself(before);
    }

    private void fields(String path, Record before, Record after) {
        for (RecordComponent component : before.getClass().getRecordComponents()) {
            String name = ConfigView.snake(component.getName());
            String at = path.isEmpty() ? name : path + "." + name;
            Object b = ConfigView.read(component, before);
            Object a = ConfigView.read(component, after);
            if (!ConfigView.secret(name)) {
                compare(at, b, a);
            } else if (!Objects.equals(b, a)) {
                tell(at, b == null ? null : "(set)", a == null ? null : "(another)");
            }
        }
    }

    private void entries(String path, Map<?, ?> before, Map<?, ?> after) {
        var keys = new LinkedHashSet<Object>(before.keySet());
        keys.addAll(after.keySet());
        for (Object key : keys) {
            compare(path + "[" + key + "]", before.get(key), after.get(key));
        }
    }

    private void tell(String path, @Nullable Object before, @Nullable Object after) {
        String change = before == null ? "added" : after == null ? "removed" : "changed";
        changes.add(new Change(written(path), change, before, after));
    }

    private static String written(String path) {
        String exact = WRITTEN.get(path);
        if (exact != null) {
            return exact;
        }
        for (Map.Entry<String, String> prefix : PREFIXES) {
            if (path.startsWith(prefix.getKey())) {
                return prefix.getValue() + path.substring(prefix.getKey().length());
            }
        }
        return path;
    }

    private static boolean keyed(Collection<?> list) {
        return list.stream().allMatch(entry -> key(entry) != null);
    }

    private static Map<Object, Object> byKey(Collection<?> list) {
        var out = new LinkedHashMap<Object, Object>();
        for (Object entry : list) {
            Object key = key(entry);
            if (key != null) {
                out.put(key, entry);
            }
        }
        return out;
    }

    private static @Nullable Object key(Object entry) {
        if (entry instanceof Record record) {
            for (RecordComponent component : record.getClass().getRecordComponents()) {
                if (component.getName().equals("name") || component.getName().equals("url")) {
                    return String.valueOf(ConfigView.read(component, record));
                }
            }
        }
        return null;
    }
}
