/// What is known: the proxies' load reports come in over HTTP, observations of one pool go out.
/// Straight blocking code on the scaler's virtual thread; everything handed on is immutable.
@NullMarked
package dev.sluice.autoscaler.signal;

import org.jspecify.annotations.NullMarked;
