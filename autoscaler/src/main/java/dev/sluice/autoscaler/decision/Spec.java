package dev.sluice.autoscaler.decision;

import dev.sluice.shared.ConfigNode;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.function.Function;

/// How one pool is scaled: the part of an `InferenceScaler`'s spec that decides.
///
/// - `forecast`: none is made yet
/// - `mode`: `off` is all that there is
///
/// @param min fewest replicas while the pool is in use; 0 needs `scaleToZero`
/// @param max most replicas
public record Spec(
        int min, int max, Rules rules, LoadDriver load, ScaleDown scaleDown, ScaleToZero zero) {

    /// The floor: CPU and error rate, as shares from 0 to 1.
    ///
    /// @param cpuHigh mean CPU above it asks for `stepUp` more
    /// @param errorHigh error rate above it asks for `stepUp` more, when it is for want of capacity
    /// @param cpuLow CPU below it and errors below `errorLow` let `stepDown` go; below `cpuHigh`
    /// @param errorLow see `cpuLow`; at most `errorHigh`
    /// @param stepUp replicas added at a time by these two rules
    /// @param stepDown replicas removed at a time by this rule
    public record Rules(
            double cpuHigh,
            double errorHigh,
            double cpuLow,
            double errorLow,
            int stepUp,
            int stepDown) {

        static Rules from(ConfigNode node) {
            var rules =
                    new Rules(
                            node.number("cpuHigh", 0.80, 0.01, 1),
                            node.number("errorHigh", 0.05, 0, 1),
                            node.number("cpuLow", 0.20, 0, 1),
                            node.number("errorLow", 0.01, 0, 1),
                            node.integer("stepUp", 2, 1, 1000),
                            node.integer("stepDown", 1, 1, 1000));
            if (rules.cpuLow >= rules.cpuHigh) {
                node.problem(
                        "cpuLow",
                        rules.cpuLow + " is not below cpuHigh " + rules.cpuHigh,
                        "leave a gap between them, as 0.20 and 0.80");
            }
            if (rules.errorLow > rules.errorHigh) {
                node.problem(
                        "errorLow",
                        rules.errorLow + " is above errorHigh " + rules.errorHigh,
                        "write 0.01 and 0.05");
            }
            return rules;
        }
    }

    /// The driver: work in flight and queued against what a replica can serve.
    ///
    /// @param enabled `false` leaves scaling to the rules alone
    /// @param slotsPerReplica calls that one replica serves at once within its objective, or
    ///   `learned`
    /// @param seed stands in until enough was learned
    /// @param mean the work is averaged over this and over a quarter of it, and the larger counts
    /// @param spare replicas more than the work needs; the sum is rounded up
    /// @param objective time per token that is still good, as a multiple of one alone
    /// @param warmUp samples from younger replicas are left out: first calls are slow
    /// @param waitObjective a queue wait above it lifts the limit of doubling
    public record LoadDriver(
            boolean enabled,
            @Nullable Integer slotsPerReplica,
            int seed,
            Duration mean,
            double spare,
            double objective,
            Duration warmUp,
            Duration waitObjective) {

        static LoadDriver from(ConfigNode node) {
            boolean learned = "learned".equals(node.string("slotsPerReplica", "learned"));
            return new LoadDriver(
                    node.bool("enabled", true),
                    learned ? null : node.integer("slotsPerReplica", 8, 1, 100_000),
                    node.integer("seed", 8, 1, 100_000),
                    node.duration("mean", Duration.ofMinutes(1)),
                    node.number("spare", 1, 0, 1000),
                    node.number("objective", 3, 1.1, 100),
                    node.duration("warmUp", Duration.ofMinutes(2)),
                    node.duration("waitObjective", Duration.ofSeconds(2)));
        }
    }

    /// How replicas leave.
    ///
    /// @param window a replica goes only below the largest need of this time, and the bursts of
    ///   twice this time
    /// @param drain the longest that a replica may take to finish its calls
    public record ScaleDown(Duration window, Duration drain) {
        static ScaleDown from(ConfigNode node) {
            return new ScaleDown(
                    node.duration("window", Duration.ofMinutes(10)),
                    node.duration("drain", Duration.ofMinutes(10)));
        }
    }

    /// Whether a pool may have no replica at all.
    ///
    /// @param enabled whether the last replica goes when there are no calls
    /// @param idle no call for this long, and the last replica goes
    public record ScaleToZero(boolean enabled, Duration idle) {
        static ScaleToZero from(ConfigNode node) {
            return new ScaleToZero(
                    node.bool("enabled", false), node.duration("idle", Duration.ofMinutes(5)));
        }
    }

    public static Spec from(ConfigNode node) {
        int min = node.integer("min", 1, 0, 10_000);
        int max = node.integer("max", 10, 1, 10_000);
        var zero = read(node, "scaleToZero", ScaleToZero::from);
        if (min > max) {
            node.problem("min", min + " is above max " + max, "write min: " + max + " or less");
        }
        if (min == 0 && !zero.enabled) {
            node.problem(
                    "min",
                    "0 needs scaleToZero",
                    "write min: 1, or scaleToZero: {enabled: true, idle: 300s}");
        }
        ConfigNode forecast = node.object("forecast");
        String mode = forecast.string("mode", "off");
        if (!mode.equals("off") && !mode.equals("false")) {
            forecast.problem(
                    "mode",
                    "\"" + mode + "\" does not exist: this version forecasts nothing",
                    "write mode: off, or leave forecast out");
        }
        forecast.finish();
        return new Spec(
                min,
                max,
                read(node, "rules", Rules::from),
                read(node, "load", LoadDriver::from),
                read(node, "scaleDown", ScaleDown::from),
                zero);
    }

    private static <T> T read(ConfigNode node, String key, Function<ConfigNode, T> reader) {
        ConfigNode part = node.object(key);
        T value = reader.apply(part);
        part.finish();
        return value;
    }
}
