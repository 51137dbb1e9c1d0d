package dev.sluice.autoscaler.kubernetes;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import com.fasterxml.jackson.databind.JsonNode;

import io.fabric8.crd.generator.annotation.PreserveUnknownFields;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.IntOrString;

import org.jspecify.annotations.Nullable;

/// The shape of a spec as the API server checks it. What it means, and every default, is in {@link
/// dev.sluice.autoscaler.decision.Spec}, which reads the same fields from a file: the controller
/// hands a resource's spec to that reader.
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(value = "self.min <= self.max", message = "min must not be above max")
@ValidationRule(
        value = "self.min > 0 || (has(self.scaleToZero) && self.scaleToZero.enabled)",
        message = "min: 0 needs scaleToZero: {enabled: true}")
public record ScalerSpec(
        @Required @JsonPropertyDescription("What is scaled: anything with a scale subresource.")
                Target target,
        @Required @JsonPropertyDescription("The proxies whose load reports are read.")
                Proxies proxies,
        @Required @JsonPropertyDescription("The pool's name in the proxies' file.") @Pattern(".+")
                String pool,
        @Default("1") @Min(0) @Max(10_000) Integer min,
        @Default("10") @Min(1) @Max(10_000) Integer max,
        @Nullable Rules rules,
        @Nullable Load load,
        @Nullable Forecast forecast,
        @Nullable ScaleDown scaleDown,
        @Nullable ScaleToZero scaleToZero) {

    private static final String DURATION = "^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$";

    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Target(
            @Default("apps/v1") @Pattern("^([a-z0-9.-]+/)?v[a-z0-9]+$") String apiVersion,
            @Default("Deployment") @Pattern("^[A-Z][A-Za-z0-9]*$") String kind,
            @Required @Pattern("^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$") String name) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Proxies(
            @Required
                    @JsonPropertyDescription("The Service in front of the proxies' pods.")
                    @Pattern("^[a-z]([a-z0-9-]*[a-z0-9])?$")
                    String service,
            @Default("9901") @Min(1) @Max(65_535) Integer port) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(value = "self.cpuLow < self.cpuHigh", message = "cpuLow must be below cpuHigh")
    @ValidationRule(
            value = "self.errorLow <= self.errorHigh",
            message = "errorLow must not be above errorHigh")
    public record Rules(
            @Default("0.8") @Min(0) @Max(1) Double cpuHigh,
            @Default("0.05") @Min(0) @Max(1) Double errorHigh,
            @Default("0.2") @Min(0) @Max(1) Double cpuLow,
            @Default("0.01") @Min(0) @Max(1) Double errorLow,
            @Default("2") @Min(1) @Max(1_000) Integer stepUp,
            @Default("1") @Min(1) @Max(1_000) Integer stepDown) {}

    /// The rule stands at the type: at a component it would be generated twice, for the field and
    /// its accessor, and server-side apply refuses that.
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value =
                    "!has(self.slotsPerReplica) || (type(self.slotsPerReplica) == int ?"
                            + " self.slotsPerReplica >= 1 : self.slotsPerReplica == 'learned')",
            message = "slotsPerReplica: write a number from 1, or learned")
    public record Load(
            @Default("true") Boolean enabled,
            @JsonPropertyDescription("A number, or learned.") @Nullable IntOrString slotsPerReplica,
            @Nullable @Min(1) @Max(100_000) Integer seed,
            @Nullable @Pattern(DURATION) String mean,
            @Nullable @Min(0) @Max(1_000) Double spare,
            @Nullable @Min(1) @Max(100) Double objective,
            @Nullable @Pattern(DURATION) String warmUp,
            @Nullable @Pattern(DURATION) String waitObjective) {}

    /// `mode: off` is a word to people and `false` to YAML 1.1, which kubectl reads.
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Forecast(@Nullable @PreserveUnknownFields JsonNode mode) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record ScaleDown(
            @Nullable @Pattern(DURATION) String window,
            @Nullable @Pattern(DURATION) String drain) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record ScaleToZero(
            @Default("false") Boolean enabled, @Nullable @Pattern(DURATION) String idle) {}
}
