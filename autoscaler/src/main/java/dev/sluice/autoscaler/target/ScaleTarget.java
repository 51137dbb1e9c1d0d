package dev.sluice.autoscaler.target;

import dev.sluice.shared.ConfigNode;

/// Something in Kubernetes that has a scale subresource: `target: {kind: Deployment, name: vllm}`.
///
/// @param apiVersion of the target
/// @param kind anything that has a scale subresource; `Deployment` unless written
/// @param name of the target, in the autoscaler's namespace; must be written
public record ScaleTarget(String apiVersion, String kind, String name) implements TargetSpec {

    public static ScaleTarget from(ConfigNode node) {
        String kind = node.string("kind", "Deployment");
        String name = node.required("name", "write the name of the " + kind);
        return new ScaleTarget(node.string("apiVersion", "apps/v1"), kind, name);
    }

    /// Its pods leave in the order of their numbers, the highest first, whatever their cost.
    public boolean ordinal() {
        return kind.equals("StatefulSet");
    }

    @Override
    public String toString() {
        return kind + "/" + name;
    }
}
