package dev.sluice.autoscaler.target;

/// What a scaler scales, as configured.
public sealed interface TargetSpec permits ProcessSpec, ScaleTarget {}
