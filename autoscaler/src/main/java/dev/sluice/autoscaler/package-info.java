/// The autoscaler: decides how many replicas there should be, from what the proxies measured, and
/// sees to it without cutting a stream. Each {@link dev.sluice.autoscaler.Scaler} is one loop on
/// one virtual thread: observe ({@code signal}), decide ({@code decision}), act ({@code target}),
/// say why. {@link dev.sluice.autoscaler.Autoscaler} starts them from an {@link
/// dev.sluice.autoscaler.AutoscalerConfig}. Imports go from here down to {@code target} and {@code
/// decision}, which know nothing of each other, and on to {@code signal}.
@NullMarked
package dev.sluice.autoscaler;

import org.jspecify.annotations.NullMarked;
