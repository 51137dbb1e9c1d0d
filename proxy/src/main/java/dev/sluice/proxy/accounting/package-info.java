/// Facts after the fact: one record for each call, meters, load report.
@NullMarked
package dev.sluice.proxy.accounting;

import org.jspecify.annotations.NullMarked;
