package dev.sluice.proxy.routing;

import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Policy;

import java.util.function.Supplier;

/// What a {@link Picker} decided.
public sealed interface Choice {

    /// @param figure what decided: a load, a weight, a time in seconds, by `why`
    /// @param of how many could have been picked
    record Chosen(Member member, Policy policy, Why why, double figure, int of)
            implements Choice, Supplier<String> {

        /// The reason, as `least_loaded load=3.0 of 4`.
        @Override
        public String get() {
            return policy.label()
                    + switch (why) {
                        case TURN -> " turn";
                        case WEIGHT -> " weight=" + one(figure);
                        case LOAD -> " load=" + one(figure);
                        case TTFT -> " ttft=" + Math.round(figure * 1e3) + "ms";
                        case TRIAL -> " trial " + member.health().label();
                    }
                    + " of "
                    + of;
        }

        /// With one decimal; by hand, because a formatter costs more than the pick.
        private static String one(double number) {
            long tenths = Math.round(number * 10);
            return tenths / 10 + "." + tenths % 10;
        }
    }

    /// Nobody can be picked now.
    ///
    /// @param because whether waiting helps
    record None(Because because) implements Choice {}

    /// Which figure decided.
    enum Why {
        TURN,
        WEIGHT,
        LOAD,
        TTFT,
        TRIAL
    }

    /// Why nobody can be picked, in the order of the filter.
    enum Because {
        /// The pool has no endpoint.
        EMPTY,
        /// None of its endpoints serves the model.
        MODEL,
        /// All are starting, unhealthy or draining.
        HEALTH,
        /// All that could serve are at their cap or cooling down.
        BUSY,
        /// All that could serve were tried by this call.
        TRIED
    }
}
