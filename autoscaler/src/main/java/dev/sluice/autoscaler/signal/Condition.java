package dev.sluice.autoscaler.signal;

/// Something that stands out and holds now.
///
/// @param type a stable word in camel case, as `SignalsStale`
/// @param message what was seen, with its numbers
public record Condition(String type, String message) {}
