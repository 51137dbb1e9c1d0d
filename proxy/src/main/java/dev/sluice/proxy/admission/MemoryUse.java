package dev.sluice.proxy.admission;

import com.sun.management.GarbageCollectorMXBean;
import com.sun.management.GcInfo;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.netty.util.internal.PlatformDependent;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.util.List;
import java.util.function.Supplier;

/// How full this process is, as shares of its limits.
///
/// @param heap what the last collection left, of the largest heap: what was made since is no sign
///   of need, the collector only has not come by
/// @param direct memory reserved for buffers, of the most that the JVM allows
public record MemoryUse(double heap, double direct) {

    /// The fuller of the two.
    double highest() {
        return Math.max(heap, direct);
    }

    /// Reads this process. A few microseconds and some garbage: not for each call.
    public static Supplier<MemoryUse> ofThisProcess() {
        List<GarbageCollectorMXBean> collectors =
                ManagementFactory.getPlatformMXBeans(GarbageCollectorMXBean.class);
        long most = Runtime.getRuntime().maxMemory();
        return () -> new MemoryUse((double) afterCollection(collectors) / most, buffers());
    }

    private static long afterCollection(List<GarbageCollectorMXBean> collectors) {
        GcInfo last = null;
        for (GarbageCollectorMXBean collector : collectors) {
            GcInfo info = collector.getLastGcInfo();
            if (info != null && (last == null || info.getEndTime() > last.getEndTime())) {
                last = info;
            }
        }
        long used = 0;
        if (last != null) {
            List<String> heap = heapPools();
            for (var pool : last.getMemoryUsageAfterGc().entrySet()) {
                MemoryUsage usage = pool.getValue();
                used += heap.contains(pool.getKey()) ? usage.getUsed() : 0;
            }
        }
        return used;
    }

    private static List<String> heapPools() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == java.lang.management.MemoryType.HEAP)
                .map(java.lang.management.MemoryPoolMXBean::getName)
                .toList();
    }

    /// Netty's own count, where it frees buffers itself, else what its allocator reserved.
    private static double buffers() {
        long used = PlatformDependent.usedDirectMemory();
        if (used < 0
                && ByteBufAllocator.DEFAULT instanceof ByteBufAllocatorMetricProvider provider) {
            used = provider.metric().usedDirectMemory();
        }
        return (double) Math.max(0, used) / PlatformDependent.maxDirectMemory();
    }
}
