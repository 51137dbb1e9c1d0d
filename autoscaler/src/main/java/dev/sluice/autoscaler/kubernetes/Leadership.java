package dev.sluice.autoscaler.kubernetes;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.function.LongSupplier;

/// Holds a Lease, or waits for it: of several autoscalers one acts.
///
/// The holder renews ten times in the lease's time, and stops acting by itself when no renewal
/// succeeded for half of it. Others take the lease when they saw no renewal for 8 tenths, counted
/// by their own clock from the look at which it last changed, so the clocks of two machines are
/// never compared. Between the two lies the time that a write needs which was under way. Updates
/// carry the resource version: of two that try at once one fails.
///
/// One thread renews; {@link #holds} from any.
public final class Leadership implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Leadership.class);

    private final KubernetesClient client;
    private final String namespace;
    private final String name;
    private final String identity;
    private final Duration duration;
    private final LongSupplier nanoClock;
    private final Thread thread;
    private volatile long heldUntilNanos;
    private volatile boolean held;
    private @Nullable Boolean told;
    private String seen = "";
    private long seenAtNanos;

    /// Starts to try.
    public Leadership(
            KubernetesClient client,
            String namespace,
            String name,
            String identity,
            Duration duration,
            LongSupplier nanoClock) {
        this.client = client;
        this.namespace = namespace;
        this.name = name;
        this.identity = identity;
        this.duration = duration;
        this.nanoClock = nanoClock;
        this.thread = Thread.ofVirtual().name("lease " + name).start(this::run);
    }

    /// Whether this process may act now.
    public boolean holds() {
        return held && nanoClock.getAsLong() - heldUntilNanos < 0;
    }

    /// Gives the lease back, so that the next one need not wait.
    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        if (!holds()) {
            return;
        }
        held = false;
        try {
            Lease lease = read();
            if (lease != null && identity.equals(lease.getSpec().getHolderIdentity())) {
                write(lease, "");
            }
        } catch (KubernetesClientException e) {
            log.debug("the lease was not given back: {}", e.getMessage());
        }
    }

    private void run() {
        while (!Thread.currentThread().isInterrupted()) {
            try {
                attempt();
            } catch (KubernetesClientException e) {
                log.debug("lease {}: {}", name, e.getMessage());
            }
            if (told == null || told != holds()) {
                told = holds();
                log.info("lease {}: {}", name, told ? "held, acting" : "not held, standing by");
            }
            try {
                Thread.sleep(
                        pause(
                                held,
                                Duration.ofNanos(nanoClock.getAsLong() - seenAtNanos),
                                duration));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void attempt() {
        long start = nanoClock.getAsLong();
        Lease lease = read();
        if (lease == null) {
            create();
        } else {
            String version = lease.getMetadata().getResourceVersion();
            if (!version.equals(seen)) {
                seen = version;
                seenAtNanos = start;
            }
            Duration still = Duration.ofNanos(start - seenAtNanos);
            if (!mayTake(lease.getSpec().getHolderIdentity(), identity, still, duration)) {
                held = false;
                return;
            }
            seen = write(lease, identity);
            seenAtNanos = start;
        }
        heldUntilNanos = start + duration.toNanos() / 2;
        held = true;
    }

    /// Whether the lease is free, ours, or its holder gone.
    ///
    /// @param still how long, by our clock, we have seen no change of it
    static boolean mayTake(
            @Nullable String holder, String identity, Duration still, Duration lease) {
        boolean free = holder == null || holder.isEmpty() || holder.equals(identity);
        return free || still.compareTo(left(lease)) > 0;
    }

    /// A tenth of the lease; who waits for it wakes up in the moment in which it may take it.
    ///
    /// @param still as in {@link #mayTake}
    static Duration pause(boolean held, Duration still, Duration lease) {
        Duration tenth = lease.dividedBy(10);
        Duration wait = left(lease).minus(still).plusMillis(1);
        return !held && wait.isPositive() && wait.compareTo(tenth) < 0 ? wait : tenth;
    }

    /// Without a change for longer than this its holder is gone.
    private static Duration left(Duration lease) {
        return lease.multipliedBy(8).dividedBy(10);
    }

    private @Nullable Lease read() {
        return client.leases().inNamespace(namespace).withName(name).get();
    }

    private void create() {
        ZonedDateTime now = ZonedDateTime.now(ZoneOffset.UTC);
        client.leases()
                .inNamespace(namespace)
                .resource(
                        new LeaseBuilder()
                                .withNewMetadata()
                                .withName(name)
                                .withNamespace(namespace)
                                .endMetadata()
                                .withNewSpec()
                                .withHolderIdentity(identity)
                                .withLeaseDurationSeconds((int) duration.toSeconds())
                                .withAcquireTime(now)
                                .withRenewTime(now)
                                .withLeaseTransitions(0)
                                .endSpec()
                                .build())
                .create();
    }

    /// Its new resource version. Fails with 409 when somebody else wrote meanwhile.
    private String write(Lease lease, String holder) {
        ZonedDateTime now = ZonedDateTime.now(ZoneOffset.UTC);
        boolean other = !holder.equals(lease.getSpec().getHolderIdentity());
        Integer before = lease.getSpec().getLeaseTransitions();
        Lease next =
                new LeaseBuilder(lease)
                        .editSpec()
                        .withHolderIdentity(holder)
                        .withLeaseDurationSeconds((int) duration.toSeconds())
                        .withAcquireTime(other ? now : lease.getSpec().getAcquireTime())
                        .withRenewTime(now)
                        .withLeaseTransitions((before == null ? 0 : before) + (other ? 1 : 0))
                        .endSpec()
                        .build();
        return client.leases()
                .inNamespace(namespace)
                .resource(next)
                .lockResourceVersion(lease.getMetadata().getResourceVersion())
                .update()
                .getMetadata()
                .getResourceVersion();
    }
}
