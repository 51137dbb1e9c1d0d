package dev.sluice.proxy.admission;

import dev.sluice.proxy.request.Refusal;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.util.Locale;
import java.util.function.Supplier;

/// Turns calls away before memory runs out. Memory is looked at four times a second, on a thread of
/// its own; a call reads one volatile field.
public final class MemoryGuard implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(MemoryGuard.class);
    private static final Duration INTERVAL = Duration.ofMillis(250);
    private static final Duration RETRY_AFTER = Duration.ofSeconds(2);

    private final Supplier<MemoryUse> memory;
    private volatile MemoryConfig config;
    private volatile MemoryUse use = new MemoryUse(0, 0);
    private volatile Pressure pressure = Pressure.NONE;
    private @Nullable Thread thread;

    public MemoryGuard(MemoryConfig config, Supplier<MemoryUse> memory) {
        this.config = config;
        this.memory = memory;
    }

    /// Begins to look.
    public void start() {
        thread = Thread.ofVirtual().name("memory-guard").start(this::run);
    }

    /// Other thresholds from now on.
    public void use(MemoryConfig next) {
        config = next;
    }

    private void run() {
        try {
            while (true) {
                look();
                Thread.sleep(INTERVAL);
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    /// Looks now.
    public void look() {
        MemoryUse now = memory.get();
        Pressure before = pressure;
        Pressure next = Pressure.of(now.highest(), before, config);
        use = now;
        pressure = next;
        if (next.compareTo(before) > 0) {
            log.warn("memory is at {}: {}", shown(now), meaning(next));
        } else if (next != before) {
            log.info("memory is back at {}: {}", shown(now), meaning(next));
        }
    }

    /// Whether a call may enter. Any thread.
    ///
    /// @return why not, or null
    public @Nullable Refusal refusal(KeyConfig.Priority priority) {
        Pressure now = pressure;
        if (now == Pressure.NONE) {
            return null;
        }
        boolean refuse = now == Pressure.REFUSE || priority == KeyConfig.Priority.SHEDDABLE;
        return refuse
                ? Refusal.capacity(
                        "memory_pressure",
                        "The proxy is short of memory (" + shown(use) + "): " + meaning(now) + ".",
                        RETRY_AFTER)
                : null;
    }

    /// Whether connections may live on after a response. Any thread.
    public boolean keepAlive() {
        return pressure.compareTo(Pressure.STOP_KEEP_ALIVE) < 0;
    }

    public Pressure pressure() {
        return pressure;
    }

    /// As seen last.
    public MemoryUse seen() {
        return use;
    }

    private static String shown(MemoryUse use) {
        return String.format(
                Locale.ROOT, "heap %.0f %%, buffers %.0f %%", 100 * use.heap(), 100 * use.direct());
    }

    private static String meaning(Pressure pressure) {
        return switch (pressure) {
            case NONE -> "all calls are taken";
            case SHED -> "sheddable calls are refused";
            case STOP_KEEP_ALIVE -> "sheddable calls are refused, connections end with their call";
            case REFUSE -> "all calls are refused";
        };
    }

    @Override
    public void close() {
        if (thread != null) {
            thread.interrupt();
        }
    }
}
