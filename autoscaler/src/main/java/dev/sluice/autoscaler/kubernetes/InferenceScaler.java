package dev.sluice.autoscaler.kubernetes;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;

/// The resource: how one pool's target is scaled, and what came of it. `charts/sluice/crds` holds
/// its definition, which a test makes from these types.
@Group("sluice.dev")
@Version("v1alpha1")
@ShortNames("isc")
@AdditionalPrinterColumn(
        name = "Target",
        jsonPath = ".spec.target.name",
        type = AdditionalPrinterColumn.Type.STRING)
@AdditionalPrinterColumn(
        name = "Min",
        jsonPath = ".spec.min",
        type = AdditionalPrinterColumn.Type.INTEGER,
        priority = 1)
@AdditionalPrinterColumn(
        name = "Max",
        jsonPath = ".spec.max",
        type = AdditionalPrinterColumn.Type.INTEGER,
        priority = 1)
@AdditionalPrinterColumn(
        name = "Desired",
        jsonPath = ".status.desired",
        type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
        name = "Current",
        jsonPath = ".status.current",
        type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
        name = "Ready",
        jsonPath = ".status.ready",
        type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
        name = "Starting",
        jsonPath = ".status.starting",
        type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
        name = "Draining",
        jsonPath = ".status.draining",
        type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
        name = "Reason",
        jsonPath = ".status.reason",
        type = AdditionalPrinterColumn.Type.STRING)
@AdditionalPrinterColumn(
        name = "Age",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(
        name = "Message",
        jsonPath = ".status.lastDecision.message",
        type = AdditionalPrinterColumn.Type.STRING,
        priority = 1)
public final class InferenceScaler extends CustomResource<ScalerSpec, ScalerStatus>
        implements Namespaced {

    /// Records have no empty form; a resource without a spec has none.
    @Override
    @SuppressWarnings("NullAway")
    protected ScalerSpec initSpec() {
        return null;
    }

    @Override
    @SuppressWarnings("NullAway")
    protected ScalerStatus initStatus() {
        return null;
    }
}
