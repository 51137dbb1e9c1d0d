/// What the admin port of a proxy answers: probes, metrics, state, changes of membership, single
/// calls explained, and the page. {@link dev.sluice.proxy.admin.Admin} is the list of routes.
/// Virtual threads; nothing here runs on an event loop.
@NullMarked
package dev.sluice.proxy.admin;

import org.jspecify.annotations.NullMarked;
