package dev.sluice.autoscaler.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.autoscaler.signal.Condition;
import dev.sluice.shared.ScalingStatus;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

class StatusTextTest {
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");

    /// What the scaler said, what stands out beside it | Ready and its reason | the resource's
    /// reason | the conditions that hold. `-` is nothing.
    @ParameterizedTest(name = "{0}, {1}: Ready {2}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    -            | -              | True Scaling         | -              | -
                    Limited      | -              | True Scaling         | load           | Limited
                    SignalsStale | -              | False SignalsStale   | load           | SignalsStale
                    -            | TargetMissing  | False TargetMissing  | TargetMissing  | TargetMissing
                    Limited      | Conflict       | False Conflict       | Conflict       | Conflict,Limited
                    -            | Paused         | False Paused         | Paused         | Paused
                    -            | ApiUnavailable | False ApiUnavailable | ApiUnavailable | ApiUnavailable
                    Unschedulable| -              | True Scaling         | load           | Unschedulable
                    """)
    void tellsWhetherItWorksAndWhatStandsOut(
            String said, String extra, String ready, String reason, String holding) {
        ScalerStatus status =
                StatusText.of(
                        said.equals("-") ? null : said(said),
                        extra.equals("-") ? List.of() : List.of(new Condition(extra, "why")),
                        7,
                        null,
                        NOON);
        var first = status.conditions().getFirst();
        assertThat(first.getType()).isEqualTo("Ready");
        assertThat(first.getStatus() + " " + first.getReason()).isEqualTo(ready);
        assertThat(status.reason()).isEqualTo(reason.equals("-") ? null : reason);
        assertThat(StatusText.holding(status).keySet())
                .containsExactlyInAnyOrderElementsOf(
                        holding.equals("-") ? List.of() : Arrays.asList(holding.split(",")));
        assertThat(status.observedGeneration()).isEqualTo(7);
        assertThat(status.conditions())
                .as("those that are always there")
                .extracting(c -> c.getType())
                .contains("Limited", "SignalsStale", "TargetMissing", "Conflict");
    }

    @Test
    void aConditionKeepsTheTimeOfItsLastTurn() {
        ScalerStatus first = StatusText.of(said("Limited"), List.of(), 1, null, NOON);
        ScalerStatus later =
                StatusText.of(said("Limited"), List.of(), 1, first, NOON.plusSeconds(60));
        assertThat(since(later, "Limited")).isEqualTo("2026-11-21T12:00:00Z");
        ScalerStatus over =
                StatusText.of(said("Unschedulable"), List.of(), 1, later, NOON.plusSeconds(120));
        assertThat(since(over, "Limited")).isEqualTo("2026-11-21T12:02:00Z");
    }

    @Test
    void remembersTheLastDecisionOfAnEarlierAutoscaler() {
        ScalerStatus before = StatusText.of(said("Limited"), List.of(), 1, null, NOON);
        ScalerStatus after = StatusText.of(null, List.of(), 1, before, NOON);
        assertThat(after.lastDecision().reason()).isEqualTo("load");
        assertThat(after.desired()).as("what is not known is left out").isNull();
    }

    @Test
    void isTheSameWhileOnlySentencesMove() {
        ScalerStatus a = StatusText.of(null, List.of(new Condition("Paused", "a")), 1, null, NOON);
        ScalerStatus b = StatusText.of(null, List.of(new Condition("Paused", "b")), 1, a, NOON);
        ScalerStatus c = StatusText.of(null, List.of(), 1, a, NOON);
        ScalerStatus d = StatusText.of(null, List.of(new Condition("Paused", "a")), 2, a, NOON);
        assertThat(StatusText.same(a, b)).isTrue();
        assertThat(StatusText.same(a, c)).isFalse();
        assertThat(StatusText.same(a, d)).isFalse();
        assertThat(StatusText.same(null, a)).isFalse();
    }

    private static String since(ScalerStatus status, String type) {
        return status.conditions().stream()
                .filter(c -> c.getType().equals(type))
                .findFirst()
                .orElseThrow()
                .getLastTransitionTime();
    }

    private static ScalingStatus said(String condition) {
        return new ScalingStatus(
                "Deployment vllm",
                "llama",
                1,
                false,
                1,
                4,
                3,
                2,
                2,
                0,
                0,
                "load",
                "m",
                Map.of(),
                List.of(new ScalingStatus.Condition(condition, "why", 1)),
                List.of(new ScalingStatus.Decision(1, 2, 3, "load", "2 -> 3", Map.of())));
    }
}
