package dev.sluice.shared;

import org.jspecify.annotations.Nullable;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Durations and sizes as people write them. A number without its unit is an error, except 0.
public final class Units {
    private static final Pattern QUANTITY =
            Pattern.compile("([0-9]+(?:\\.[0-9]+)?)\\s*([A-Za-z]*)");
    private static final Map<String, Double> NANOS =
            Map.of("us", 1e3, "ms", 1e6, "s", 1e9, "m", 60e9, "h", 3600e9, "d", 86_400e9);
    private static final Map<String, Double> BYTES =
            Map.of(
                    "B",
                    1d,
                    "KB",
                    1e3,
                    "MB",
                    1e6,
                    "GB",
                    1e9,
                    "KiB",
                    1024d,
                    "MiB",
                    1048576d,
                    "GiB",
                    1073741824d);

    private Units() {}

    /// @throws IllegalArgumentException with a message that names the fix
    public static Duration duration(String text) {
        Double nanos = parse(text, NANOS);
        if (nanos == null) {
            throw new IllegalArgumentException(
                    "\""
                            + text
                            + "\" is not a time; write a number with its unit, as 500ms, 30s, 5m or"
                            + " 2h");
        }
        return Duration.ofNanos(Math.round(nanos));
    }

    /// @throws IllegalArgumentException with a message that names the fix
    public static long bytes(String text) {
        Double bytes = parse(text, BYTES);
        if (bytes == null) {
            throw new IllegalArgumentException(
                    "\""
                            + text
                            + "\" is not a size; write a number with its unit, as 512B, 64KiB or"
                            + " 10MB");
        }
        return Math.round(bytes);
    }

    /// Host and port to listen on; `:8080` means every address of the machine.
    ///
    /// @throws IllegalArgumentException with a message that names the fix
    public static InetSocketAddress address(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        try {
            int port = Integer.parseInt(text.substring(colon + 1));
            if (colon >= 0 && port >= 0 && port <= 65_535) {
                return new InetSocketAddress(host.isEmpty() ? "0.0.0.0" : host, port);
            }
        } catch (NumberFormatException e) {
            // Told below, with the fix.
        }
        throw new IllegalArgumentException(
                "\"" + text + "\" is not an address; write HOST:PORT, as 127.0.0.1:8080 or :8080");
    }

    /// The shortest text that {@link #duration} reads back: `1.5s`, `250ms`, `10m`.
    public static String show(Duration time) {
        long millis = time.toMillis();
        if (millis < 1000) {
            return millis + "ms";
        }
        if (millis % 3_600_000 == 0) {
            return millis / 3_600_000 + "h";
        }
        if (millis % 60_000 == 0) {
            return millis / 60_000 + "m";
        }
        return millis % 1000 == 0 ? millis / 1000 + "s" : millis / 1000.0 + "s";
    }

    /// The shortest text that {@link #bytes} reads back: `32MiB`, `1KiB`, `100B`.
    public static String show(long bytes) {
        if (bytes > 0 && bytes % (1 << 30) == 0) {
            return (bytes >> 30) + "GiB";
        }
        if (bytes > 0 && bytes % (1 << 20) == 0) {
            return (bytes >> 20) + "MiB";
        }
        return bytes > 0 && bytes % 1024 == 0 ? bytes / 1024 + "KiB" : bytes + "B";
    }

    private static @Nullable Double parse(String text, Map<String, Double> units) {
        Matcher m = QUANTITY.matcher(text.strip());
        if (!m.matches()) {
            return null;
        }
        double number = Double.parseDouble(m.group(1));
        if (m.group(2).isEmpty()) {
            return number == 0 ? number : null;
        }
        Double unit = units.get(m.group(2));
        return unit == null ? null : number * unit;
    }
}
