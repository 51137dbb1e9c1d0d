package dev.sluice.proxy.call;

import dev.sluice.proxy.accounting.CallObserver;
import dev.sluice.proxy.admission.Gate;
import dev.sluice.proxy.routing.Router;
import dev.sluice.proxy.upstream.Connections;

import io.netty.channel.EventLoop;

import java.util.function.LongSupplier;

/// What all calls of one event loop share.
///
/// @param gate who may enter
/// @param nanoClock for durations
/// @param wallClock milliseconds since the epoch, for records
public record Lane(
        EventLoop loop,
        Gate gate,
        Router router,
        Connections connections,
        CallConfig config,
        CallObserver observer,
        LongSupplier nanoClock,
        LongSupplier wallClock) {}
