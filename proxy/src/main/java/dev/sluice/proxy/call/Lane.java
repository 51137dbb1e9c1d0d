package dev.sluice.proxy.call;

import dev.sluice.proxy.accounting.CallObserver;
import dev.sluice.proxy.accounting.ClientMeters;
import dev.sluice.proxy.accounting.TokenEstimates;
import dev.sluice.proxy.admission.MemoryGuard;
import dev.sluice.proxy.request.HeldBodies;
import dev.sluice.proxy.request.Tracing;
import dev.sluice.proxy.response.Tails;
import dev.sluice.proxy.upstream.Connections;

import io.netty.channel.EventLoop;

import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// What all calls of one event loop share.
///
/// @param terms those of now; a volatile read, asked once for each call
/// @param estimates what a body's size says of its tokens
/// @param tracing which calls belong to a trace
/// @param clients counts the connections that are closed against a client's will
/// @param memory turns calls away before memory runs out
/// @param bodies what this loop's calls hold of their bodies
/// @param nanoClock for durations
/// @param wallClock milliseconds since the epoch, for records
public record Lane(
        EventLoop loop,
        Supplier<Terms> terms,
        Connections connections,
        Tails tails,
        TokenEstimates estimates,
        CallObserver observer,
        Tracing tracing,
        ClientMeters clients,
        MemoryGuard memory,
        HeldBodies.Share bodies,
        LongSupplier nanoClock,
        LongSupplier wallClock) {}
