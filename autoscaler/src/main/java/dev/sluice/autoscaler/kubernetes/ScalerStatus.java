package dev.sluice.autoscaler.kubernetes;

import com.fasterxml.jackson.annotation.JsonInclude;

import io.fabric8.kubernetes.api.model.Condition;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;

/// What the controller says of a scaler. Numbers are left out while the target was never seen.
///
/// @param desired replicas asked for
/// @param current those that exist: ready, starting and draining
/// @param reason the word that explains `desired`, also while nothing changes
/// @param lastDecision the last one that changed something
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ScalerStatus(
        @Nullable Long observedGeneration,
        @Nullable Integer desired,
        @Nullable Integer current,
        @Nullable Integer ready,
        @Nullable Integer starting,
        @Nullable Integer draining,
        @Nullable String reason,
        @Nullable LastDecision lastDecision,
        @Nullable List<Condition> conditions) {

    /// @param time RFC 3339
    /// @param terms the numbers behind it, by name
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record LastDecision(
            String time,
            Integer replicas,
            String reason,
            String message,
            @Nullable Map<String, Double> terms) {}
}
