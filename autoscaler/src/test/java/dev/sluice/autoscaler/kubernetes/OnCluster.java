package dev.sluice.autoscaler.kubernetes;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// Runs against a real API server, and only where there is one.
@Tag("kubernetes")
@EnabledIfEnvironmentVariable(
        named = Namespace.KUBECONFIG,
        matches = ".+",
        disabledReason = "needs a cluster: bench/kubernetes/run starts one, or name its kubeconfig")
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@interface OnCluster {}
