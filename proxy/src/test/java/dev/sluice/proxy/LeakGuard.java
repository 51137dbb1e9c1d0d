package dev.sluice.proxy;

import io.netty.buffer.ByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakDetectorFactory;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

import java.lang.ref.WeakReference;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/// Fails a test class after which Netty's leak detector finds a buffer that nobody released.
///
/// Registered for all tests through `META-INF/services`. Takes Netty's detector factory before the
/// first buffer is made. A leak shows when the collector finds the buffer, so it may be a class
/// before the failing one that leaked; the record in the message says where the buffer was used.
public final class LeakGuard implements BeforeAllCallback, AfterAllCallback {
    private static final Queue<String> LEAKS = new ConcurrentLinkedQueue<>();

    static {
        // Notes who took and who let go of a buffer, but not who read a byte of it: a stack trace
        // for
        // each word of a body would make the tests many times slower, and finds no further leak.
        System.setProperty("io.netty.leakDetection.acquireAndReleaseOnly", "true");
        ResourceLeakDetectorFactory.setResourceLeakDetectorFactory(
                new ResourceLeakDetectorFactory() {
                    @Override
                    @SuppressWarnings("deprecation") // abstract in the class that is extended
                    public <T> ResourceLeakDetector<T> newResourceLeakDetector(
                            Class<T> resource, int samplingInterval, long maxActive) {
                        return new Recorder<>(resource, samplingInterval);
                    }
                });
    }

    private static final class Recorder<T> extends ResourceLeakDetector<T> {
        Recorder(Class<T> resource, int samplingInterval) {
            super(resource, samplingInterval);
        }

        @Override
        protected boolean needReport() {
            return true;
        }

        @Override
        protected void reportTracedLeak(String type, String records) {
            LEAKS.add(type + " leaked." + records);
        }

        @Override
        protected void reportUntracedLeak(String type) {
            LEAKS.add(type + " leaked.");
        }
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        if (ResourceLeakDetector.getLevel() != ResourceLeakDetector.Level.PARANOID) {
            throw new IllegalStateException("run with -Dio.netty.leakDetection.level=paranoid");
        }
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (context.getRequiredTestClass().getEnclosingClass() != null) {
            return;
        }
        collect();
        // The detector looks at what was collected whenever it is given a new buffer to watch.
        for (int i = 0; i < 3; i++) {
            ByteBufAllocator.DEFAULT.directBuffer(1).release();
            ByteBufAllocator.DEFAULT.heapBuffer(1).release();
        }
        String first = LEAKS.poll();
        if (first != null) {
            int more = LEAKS.size();
            LEAKS.clear();
            throw new AssertionError(first + (more == 0 ? "" : "\nand " + more + " more"));
        }
    }

    /// Has the collector run once for sure: until it clears a reference made here.
    private static void collect() {
        var canary = new WeakReference<>(new Object());
        for (int i = 0; i < 10 && canary.get() != null; i++) {
            System.gc();
        }
    }
}
