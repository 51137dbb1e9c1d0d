/// Kubernetes: the `InferenceScaler` resource, the target that is anything with a scale
/// subresource, and the lease that makes one of several autoscalers act. What a target is and who
/// goes first are pure ({@link dev.sluice.autoscaler.kubernetes.Fleet}); {@link
/// dev.sluice.autoscaler.kubernetes.Cluster} is the only class that talks to the API server.
/// Straight blocking code on virtual threads.
@NullMarked
package dev.sluice.autoscaler.kubernetes;

import org.jspecify.annotations.NullMarked;
