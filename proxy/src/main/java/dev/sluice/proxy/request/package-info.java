/// What a call asks: path, model, stream, sizes. In: a checked head and body slices. Out: an {@link
/// dev.sluice.proxy.request.InferenceRequest} or a {@link dev.sluice.proxy.request.Refusal}.
@NullMarked
package dev.sluice.proxy.request;

import org.jspecify.annotations.NullMarked;
