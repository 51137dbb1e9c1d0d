/// What the admin port of a proxy answers.
@NullMarked
package dev.sluice.proxy.admin;

import org.jspecify.annotations.NullMarked;
