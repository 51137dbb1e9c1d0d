/// HTTP over the engine model. Bytes come in through {@link Connection}, become a request in {@link
/// Routes}, a sequence in {@link Engine} and tokens in {@link Generation}, which writes them back.
/// Everything of one simulator runs on one event loop; nothing here is shared.
@NullMarked
package dev.sluice.simulator.server;

import org.jspecify.annotations.NullMarked;
