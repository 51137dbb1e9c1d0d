package dev.sluice.autoscaler.kubernetes;

import dev.sluice.shared.ConfigNode;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/// `kubernetes:` of the autoscaler's file. Which cluster and as whom: the pod's service account, or
/// the kubeconfig, as for kubectl.
///
/// @param namespace the one that is looked at; unless written, that of the pod or the kubeconfig
/// @param resources whether the namespace's `InferenceScaler`s are scaled, beside `scalers`; needs
///   their definition
/// @param lease the name of the Lease that one of several autoscalers holds
/// @param leaseDuration how long another waits for one that has died, 4s to 5m
/// @param proxiesToken the proxies' `admin_token`, for scalers that are resources
public record KubernetesConfig(
        @Nullable String namespace,
        boolean resources,
        String lease,
        Duration leaseDuration,
        @Nullable String proxiesToken) {

    /// For a file whose scalers name Kubernetes targets and nothing else of it.
    public static final KubernetesConfig DEFAULT =
            new KubernetesConfig(null, false, "sluice-autoscaler", Duration.ofSeconds(15), null);

    public static KubernetesConfig from(ConfigNode node) {
        Duration duration = node.duration("lease_duration", DEFAULT.leaseDuration);
        if (duration.compareTo(Duration.ofSeconds(4)) < 0
                || duration.compareTo(Duration.ofMinutes(5)) > 0) {
            node.problem("lease_duration", "is out of range", "write 4s to 5m");
        }
        return new KubernetesConfig(
                node.stringOrNull("namespace"),
                node.bool("resources", true),
                node.string("lease", DEFAULT.lease),
                duration,
                node.stringOrNull("proxies_token"));
    }
}
