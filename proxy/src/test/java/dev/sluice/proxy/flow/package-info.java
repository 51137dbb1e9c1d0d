/// Tests of whole calls over real sockets: a {@link dev.sluice.proxy.flow.RawClient} sends bytes
/// through a proxy to an {@link dev.sluice.proxy.flow.Origin} that follows a script.
package dev.sluice.proxy.flow;
