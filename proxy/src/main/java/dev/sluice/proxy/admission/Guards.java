package dev.sluice.proxy.admission;

import dev.sluice.proxy.request.HeldBodies;

import java.util.function.Supplier;

/// What keeps the process within its memory.
public record Guards(MemoryGuard memory, HeldBodies bodies) implements AutoCloseable {

    public static Guards of(MemoryConfig config, Supplier<MemoryUse> memory) {
        return new Guards(new MemoryGuard(config, memory), new HeldBodies(config.bodies()));
    }

    /// Other limits from now on.
    public void use(MemoryConfig config) {
        memory.use(config);
        bodies.limit(config.bodies());
    }

    @Override
    public void close() {
        memory.close();
    }
}
