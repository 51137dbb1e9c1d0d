package dev.sluice.autoscaler.target;

import dev.sluice.autoscaler.signal.Proxies;
import dev.sluice.autoscaler.signal.ProxyReport;
import dev.sluice.shared.LoadReport.EndpointLoad;

import java.net.URI;
import java.time.Duration;
import java.util.List;

/// Ends all child processes when the autoscaler ends: drain, wait a little, remove, SIGTERM, grace,
/// SIGKILL. Blocks until they are gone, at most {@link #DRAIN} and the grace; a proxy that does not
/// answer is not waited for, since it may have ended before.
record Shutdown(String pool, ProcessSpec spec, Proxies proxies) {
    private static final Duration DRAIN = Duration.ofSeconds(10);
    private static final long LOOK_MS = 100;

    void stop(List<Child> children) throws InterruptedException {
        if (children.isEmpty()) {
            return;
        }
        List<URI> reachable =
                proxies.poll().stream()
                        .filter(r -> r.report() != null)
                        .map(ProxyReport::proxy)
                        .toList();
        for (Child c : children) {
            for (URI proxy : reachable) {
                proxies.drain(proxy, c.id);
            }
        }
        await(DRAIN, () -> inFlight(children) == 0);
        for (Child c : children) {
            for (URI proxy : reachable) {
                proxies.remove(proxy, c.id);
            }
            c.terminate();
        }
        await(spec.grace(), () -> children.stream().noneMatch(Child::alive));
        children.forEach(Child::kill);
        await(Duration.ofSeconds(1), () -> children.stream().noneMatch(Child::alive));
    }

    private int inFlight(List<Child> children) throws InterruptedException {
        int sum = 0;
        for (ProxyReport r : proxies.poll()) {
            for (Child c : children) {
                EndpointLoad known = r.endpoint(pool, c.id);
                sum += known == null ? 0 : known.inFlight();
            }
        }
        return sum;
    }

    private interface Check {
        boolean done() throws InterruptedException;
    }

    private static void await(Duration limit, Check check) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        while (!check.done() && System.nanoTime() < end) {
            Thread.sleep(LOOK_MS);
        }
    }
}
