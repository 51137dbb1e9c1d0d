package dev.sluice.autoscaler.target;

import dev.sluice.shared.ConfigNode;

/// Something in Kubernetes that has a scale subresource: `target: {kind: Deployment, name: vllm}`.
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
