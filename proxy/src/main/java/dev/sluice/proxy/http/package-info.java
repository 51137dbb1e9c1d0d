/// HTTP/1.1 on the wire: strict heads, checked body framing. In: bytes. Out: offsets into them,
/// never copies. Event loop only; knows nothing of calls.
@NullMarked
package dev.sluice.proxy.http;

import org.jspecify.annotations.NullMarked;
