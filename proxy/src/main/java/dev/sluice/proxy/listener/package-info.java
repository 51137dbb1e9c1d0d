/// Binds, accepts, reads request heads, pipelines, limits, drains.
@NullMarked
package dev.sluice.proxy.listener;

import org.jspecify.annotations.NullMarked;
