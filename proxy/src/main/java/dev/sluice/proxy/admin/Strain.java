package dev.sluice.proxy.admin;

import com.sun.management.OperatingSystemMXBean;

import dev.sluice.proxy.accounting.Accounting;
import dev.sluice.proxy.admission.MemoryUse;

import org.jspecify.annotations.Nullable;

import java.lang.management.ManagementFactory;
import java.util.Locale;

/// How near this process is to its own limits.
///
/// @param cpu share of all processors it may use, over the last second; null before one has passed
/// @param heap share of the largest heap that the last collection left
/// @param direct share of the memory for buffers that is reserved
/// @param pressure what the guard does about memory: `none`, `shed`, `stop_keep_alive`, `refuse`
/// @param bodies bytes of request bodies held
/// @param loopLagMs how late the latest event loop was in the last second; null before any was seen
record Strain(
        @Nullable Double cpu,
        double heap,
        double direct,
        String pressure,
        long bodies,
        @Nullable Double loopLagMs) {

    static Strain of(Accounting accounting, @Nullable Double cpu) {
        MemoryUse memory = accounting.guards().memory().seen();
        Double lag = accounting.loopLag();
        return new Strain(
                cpu,
                memory.heap(),
                memory.direct(),
                accounting.guards().memory().pressure().name().toLowerCase(Locale.ROOT),
                accounting.guards().bodies().bytes(),
                lag == null ? null : lag * 1e3);
    }

    /// The processor time of this process between two looks. One thread looks.
    static final class Cpu {
        private final @Nullable OperatingSystemMXBean system =
                ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean bean
                        ? bean
                        : null;
        private long cpuBefore = -1;
        private long nanosBefore;
        private volatile @Nullable Double share;

        void look(long nowNanos) {
            long cpu = system == null ? -1 : system.getProcessCpuTime();
            if (cpu >= 0 && cpuBefore >= 0 && nowNanos > nanosBefore) {
                int processors = Runtime.getRuntime().availableProcessors();
                share = (double) (cpu - cpuBefore) / (nowNanos - nanosBefore) / processors;
            }
            cpuBefore = cpu;
            nanosBefore = nowNanos;
        }

        @Nullable Double share() {
            return share;
        }
    }
}
