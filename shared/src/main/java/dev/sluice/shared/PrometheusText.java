package dev.sluice.shared;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Reads the Prometheus text exposition format (0.0.4, and OpenMetrics where it is the same): one
/// sample a line, `name{label="value",…} number [timestamp]`. Comments, lines that are none of
/// this, and values that are not finite are left out: a reader of someone else's metrics takes what
/// it understands.
public final class PrometheusText {

    /// One line.
    public record Sample(String name, Map<String, String> labels, double value) {
        /// The label's value; empty when there is none, which Prometheus holds to be the same.
        public String label(String key) {
            return labels.getOrDefault(key, "");
        }
    }

    private PrometheusText() {}

    /// @param wanted exact names; an engine's page has hundreds of others
    public static List<Sample> read(String text, Set<String> wanted) {
        var out = new ArrayList<Sample>();
        int start = 0;
        while (start < text.length()) {
            int end = text.indexOf('\n', start);
            end = end < 0 ? text.length() : end;
            sample(text.substring(start, end).strip(), wanted, out);
            start = end + 1;
        }
        return out;
    }

    private static void sample(String line, Set<String> wanted, List<Sample> out) {
        int nameEnd = 0;
        while (nameEnd < line.length() && " \t{".indexOf(line.charAt(nameEnd)) < 0) {
            nameEnd++;
        }
        String name = line.substring(0, nameEnd);
        if (!wanted.contains(name)) {
            return;
        }
        Map<String, String> labels = new HashMap<>();
        int at = nameEnd;
        if (at < line.length() && line.charAt(at) == '{') {
            at = labels(line, at + 1, labels);
        }
        if (at < 0 || at >= line.length()) {
            return;
        }
        String[] rest = line.substring(at).strip().split("[ \t]+", 2);
        try {
            double value = Double.parseDouble(rest[0]);
            if (Double.isFinite(value)) {
                out.add(new Sample(name, labels, value));
            }
        } catch (NumberFormatException e) {
            // Not a sample, or +Inf as Prometheus writes it: nothing to take from this line.
            return;
        }
    }

    /// Returns the place behind the closing brace; -1 when the labels are broken.
    private static int labels(String line, int from, Map<String, String> out) {
        int at = from;
        while (at < line.length() && line.charAt(at) != '}') {
            int equals = line.indexOf("=\"", at);
            if (equals < 0) {
                return -1;
            }
            String key = line.substring(at, equals).strip();
            var value = new StringBuilder();
            at = equals + 2;
            while (at < line.length() && line.charAt(at) != '"') {
                char c = line.charAt(at++);
                if (c == '\\' && at < line.length()) {
                    char escaped = line.charAt(at++);
                    value.append(escaped == 'n' ? '\n' : escaped);
                } else {
                    value.append(c);
                }
            }
            out.put(key, value.toString());
            at++;
            while (at < line.length() && (line.charAt(at) == ',' || line.charAt(at) == ' ')) {
                at++;
            }
        }
        return at < line.length() ? at + 1 : -1;
    }
}
