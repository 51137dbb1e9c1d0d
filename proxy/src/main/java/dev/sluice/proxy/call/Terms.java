package dev.sluice.proxy.call;

import dev.sluice.proxy.admission.Gate;
import dev.sluice.proxy.routing.Router;

/// What calls are served by. A reload replaces it as a whole; a call keeps the gate and the limits
/// that it began with, and is placed by the router of the moment at which it can be placed.
///
/// @param gate who may enter
/// @param router which pool serves a model
public record Terms(Gate gate, Router router, CallConfig limits) {}
