/// May this caller enter at all: keys, and limits on requests and tokens. In: a request head, later
/// the size of the call. Out: an {@link dev.sluice.proxy.admission.Admission}. Any thread; buckets
/// are atomics shared by all event loops.
@NullMarked
package dev.sluice.proxy.admission;

import org.jspecify.annotations.NullMarked;
