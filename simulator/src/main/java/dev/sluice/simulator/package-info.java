/// A modelled inference replica behind vLLM's HTTP interface, and what drives one: traces, a
/// workload generator and the open-loop replay. `replica` is the pure engine model, `server` its
/// sockets, `trace` the calls to make, `replay` the client, `evaluation` scaling rules in virtual
/// time; this package wires a replica together.
@NullMarked
package dev.sluice.simulator;

import org.jspecify.annotations.NullMarked;
