/// Who can serve: endpoints, their health, their capacity, and the queue of calls that wait for it.
/// One control thread folds events and publishes an immutable snapshot behind one volatile write;
/// event loops read it and count in-flight with atomics.
@NullMarked
package dev.sluice.proxy.pool;

import org.jspecify.annotations.NullMarked;
