package dev.sluice.simulator.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.sluice.shared.ConfigNode;
import dev.sluice.shared.Units;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;

/// What goes wrong on purpose. Written as `kind`, `kind=rate`, `status=CODE:RATE`, `slow=FACTOR` or
/// `crash-after=TIME`; a kind without a rate always happens.
///
/// @param rates share of inference calls that meet each kind; at most one kind a call
/// @param status the code of {@link Kind#STATUS}
/// @param slowness everything takes this many times as long
/// @param crashAfter time from the start, or from the moment that it is set, to the sudden end
public record Faults(
        Map<Kind, Double> rates, int status, double slowness, @Nullable Duration crashAfter) {

    public static final Faults NONE = new Faults(Map.of(), 503, 1, null);

    /// One way in which a call goes wrong.
    public enum Kind {
        /// Answers 500.
        ERROR,
        /// Answers another code.
        STATUS,
        /// Answers 429 with Retry-After.
        REFUSE,
        /// Never answers; with rate 1 neither do the probes.
        HANG,
        /// Closes the connection before any byte.
        CLOSE,
        /// Stops in the middle for ever; the slot stays taken.
        STALL,
        /// Resets the connection in the middle.
        RESET,
        /// Closes the connection in the middle, in good order and too early.
        TRUNCATE,
        /// Breaks the framing in the middle.
        GARBAGE,
        /// `/health` answers 503; calls are served.
        UNHEALTHY;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public Faults {
        rates = Collections.unmodifiableMap(new LinkedHashMap<>(rates));
    }

    /// Reads the values of a repeated flag.
    ///
    /// @throws IllegalArgumentException with a message that names the value and the fix
    public static Faults parse(List<String> specs) {
        var rates = new EnumMap<Kind, Double>(Kind.class);
        int status = NONE.status;
        double slowness = 1;
        Duration crashAfter = null;
        for (String spec : specs) {
            int cut = spec.indexOf('=');
            String word = (cut < 0 ? spec : spec.substring(0, cut)).strip().replace('_', '-');
            String value = cut < 0 ? "" : spec.substring(cut + 1).strip();
            if (word.equals("slow")) {
                slowness = number(spec, value, 0.01, 10_000, "a factor, as slow=8");
            } else if (word.equals("crash-after")) {
                crashAfter = time(spec, value);
            } else if (word.equals("status")) {
                int colon = value.indexOf(':');
                String code = colon < 0 ? value : value.substring(0, colon);
                String rate = colon < 0 ? "1" : value.substring(colon + 1);
                String form = "a code and a rate, as status=503:0.2";
                status = (int) number(spec, code, 400, 599, form);
                rates.put(Kind.STATUS, number(spec, rate, 0, 1, form));
            } else {
                Kind kind = kind(spec, word);
                String form = "a rate of 0 to 1, as " + word + "=0.1";
                rates.put(kind, value.isEmpty() ? 1 : number(spec, value, 0, 1, form));
            }
        }
        return new Faults(rates, status, slowness, crashAfter);
    }

    /// Reads the same from a JSON object: `{"error": 0.1, "status": "503:0.2", "hang": true}`.
    ///
    /// @throws IllegalArgumentException as {@link #parse}
    static Faults of(JsonNode json) {
        if (!json.isObject()) {
            throw new IllegalArgumentException(
                    "the body must be an object of faults, as {\"error\": 0.1}, or {} for none");
        }
        return parse(
                json.properties().stream()
                        .filter(
                                e ->
                                        !e.getValue().isNull()
                                                && !e.getValue().equals(BooleanNode.FALSE))
                        .map(
                                e ->
                                        e.getValue().isBoolean()
                                                ? e.getKey()
                                                : e.getKey() + "=" + e.getValue().asText())
                        .toList());
    }

    /// The form that {@link #of} reads.
    String json() {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        rates.forEach(
                (kind, rate) -> {
                    if (kind == Kind.STATUS) {
                        root.put(kind.word(), status + ":" + rate);
                    } else {
                        root.put(kind.word(), rate);
                    }
                });
        if (slowness != 1) {
            root.put("slow", slowness);
        }
        if (crashAfter != null) {
            root.put("crash-after", Units.show(crashAfter));
        }
        return root.toString();
    }

    public double rate(Kind kind) {
        return rates.getOrDefault(kind, 0.0);
    }

    /// What the next inference call meets, or null for nothing.
    @Nullable Kind pick(RandomGenerator random) {
        double draw = random.nextDouble();
        for (Kind kind : Kind.values()) {
            double rate = kind == Kind.UNHEALTHY ? 0 : rate(kind);
            if (draw < rate) {
                return kind;
            }
            draw -= rate;
        }
        return null;
    }

    private static Kind kind(String spec, String word) {
        Set<String> words = new TreeSet<>(Set.of("slow", "crash-after"));
        for (Kind kind : Kind.values()) {
            if (kind.word().equals(word)) {
                return kind;
            }
            words.add(kind.word());
        }
        throw new IllegalArgumentException(
                "--fail " + spec + ": no such fault; " + ConfigNode.suggest(word, words));
    }

    private static double number(String spec, String text, double least, double most, String form) {
        try {
            double number =
                    text.endsWith("%")
                            ? Double.parseDouble(text.substring(0, text.length() - 1)) / 100
                            : Double.parseDouble(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Told below, with the form that is right.
        }
        throw new IllegalArgumentException(
                "--fail " + spec + ": \"" + text + "\" is not right; write " + form);
    }

    private static Duration time(String spec, String text) {
        try {
            return Units.duration(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--fail " + spec + ": " + e.getMessage(), e);
        }
    }
}
