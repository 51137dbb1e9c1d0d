package dev.sluice.proxy.call;

import dev.sluice.proxy.accounting.CallObserver;
import dev.sluice.proxy.accounting.TokenEstimates;
import dev.sluice.proxy.admission.Gate;
import dev.sluice.proxy.routing.Router;
import dev.sluice.proxy.upstream.Connections;

import io.netty.channel.EventLoop;

import java.util.function.LongSupplier;

/// What all calls of one event loop share.
///
/// @param gate who may enter
/// @param estimates what a body's size says of its tokens
/// @param nanoClock for durations
/// @param wallClock milliseconds since the epoch, for records
public record Lane(
        EventLoop loop,
        Gate gate,
        Router router,
        Connections connections,
        CallConfig config,
        TokenEstimates estimates,
        CallObserver observer,
        LongSupplier nanoClock,
        LongSupplier wallClock) {}
