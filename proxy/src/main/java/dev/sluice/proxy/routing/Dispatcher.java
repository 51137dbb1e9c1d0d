package dev.sluice.proxy.routing;

import dev.sluice.proxy.pool.Demand;
import dev.sluice.proxy.pool.Endpoint;
import dev.sluice.proxy.pool.HealthState;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.Policy;
import dev.sluice.proxy.pool.Pool;
import dev.sluice.proxy.pool.PoolConfig;
import dev.sluice.proxy.pool.QueueConfig;
import dev.sluice.proxy.pool.Slot;
import dev.sluice.proxy.pool.Snapshot;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.routing.Choice.Because;
import dev.sluice.proxy.routing.Choice.Chosen;
import dev.sluice.proxy.routing.Choice.None;
import dev.sluice.proxy.routing.Choice.Why;
import dev.sluice.proxy.routing.Ticket.Phase;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/// Gives a pool's slots to calls: at once while one is free, else in the order of the queue.
///
/// Late binding: a call waits for the pool, not for an endpoint, and is bound when a slot is free.
/// Any thread may bring a waiter or free a slot, and none blocks: newcomers go through an inbox,
/// and the ordered queue is touched by one thread at a time, the one that raised `work` from zero.
/// The others only raise it, and that thread goes round again (the serialised drain of Reactive
/// Streams implementations, David Karnok's "queue-drain").
public final class Dispatcher implements Demand {
    private final Pool pool;
    private volatile Rules rules;
    private final LongSupplier nanoClock;
    private final RandomGenerator random;
    private final RetryBudget budget;
    private final DrainRate rate = new DrainRate();
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicLong waitingBytes = new AtomicLong();
    private final AtomicLong queuedEver = new AtomicLong();
    private final LongAdder arrivals = new LongAdder();
    private final Map<Waiter, Ticket> tickets = new ConcurrentHashMap<>();
    private final Queue<Ticket> inbox = new ConcurrentLinkedQueue<>();
    private final AtomicInteger work = new AtomicInteger();
    private final Doorbell queued = new Doorbell();
    private volatile boolean sweepDue;
    private volatile boolean closed;
    private volatile long oldestNanos;

    /// Of the draining thread only.
    private final PriorityQueue<Ticket> queue = new PriorityQueue<>(Ticket.ORDER);

    private long lastColdNanos;

    /// @param random safe for use by many threads
    public Dispatcher(Pool pool, LongSupplier nanoClock, RandomGenerator random) {
        this.pool = pool;
        this.nanoClock = nanoClock;
        this.random = random;
        this.rules = new Rules(pool.config(), picker(pool.config().policy()));
        this.budget = new RetryBudget(nanoClock.getAsLong());
        this.lastColdNanos = nanoClock.getAsLong();
        pool.serve(this);
    }

    private Picker picker(Policy policy) {
        return switch (policy) {
            case ROUND_ROBIN -> new RoundRobin(new AtomicInteger());
            case WEIGHTED -> new Weighted();
            case LEAST_LOADED -> new LeastLoaded(random);
            case LATENCY -> new Latency(random);
        };
    }

    public Pool pool() {
        return pool;
    }

    /// Asks for a slot; the answer comes to the waiter, on its loop, possibly before this returns.
    /// Called on that loop.
    public void acquire(Waiter waiter) {
        if (waiter.tried().isEmpty()) {
            arrivals.increment();
            budget.called();
        }
        long now = nanoClock.getAsLong();
        Because why = Because.BUSY;
        if (waiting.get() == 0) {
            switch (take(waiter.request(), waiter.tried(), now)) {
                case Chosen chosen -> {
                    waiter.granted(new Slot(pool, chosen.member(), chosen, 0));
                    return;
                }
                case None(Because because) -> why = because;
            }
        }
        Refusal refusal = why == Because.TRIED ? noOther() : enter(waiter, now);
        if (refusal != null) {
            waiter.refused(refusal);
            return;
        }
        drain();
    }

    /// The call left: nothing is granted to it from here on. Harmless when it does not wait. Called
    /// on the waiter's loop.
    public void cancel(Waiter waiter) {
        Ticket ticket = tickets.remove(waiter);
        if (ticket == null) {
            return;
        }
        if (ticket.step(Phase.WAITING, Phase.OVER)) {
            leave(ticket);
            return;
        }
        // A slot is on its way: its delivery finds the ticket over, and gives it back.
        ticket.step(Phase.GRANTED, Phase.OVER);
    }

    /// Whether the pool's retry budget allows one more attempt; if so, it is spent.
    public boolean mayRetry() {
        return budget.spend(nanoClock.getAsLong());
    }

    /// What would become of a call that came now. Takes nothing and moves no turn on.
    public Forecast forecast(InferenceRequest request) {
        Snapshot snapshot = pool.snapshot();
        Policy policy = rules.config.policy();
        Picker picker = picker(policy);
        long now = nanoClock.getAsLong();
        return Forecast.of(
                snapshot,
                policy,
                request.model(),
                () -> choose(snapshot, new Rules(rules.config, picker), request, List.of(), now),
                now);
    }

    public QueueView queue() {
        int n = waiting.get();
        long oldest = n == 0 ? 0 : Math.max(0, nanoClock.getAsLong() - oldestNanos);
        return new QueueView(
                n,
                incapable(pool.snapshot()) ? n : 0,
                Duration.ofNanos(oldest),
                arrivals.sum(),
                rate.perSecond() == 0 ? null : predicted(n + 1));
    }

    /// Blocks until a call waits here, at most this long. Not for event loops.
    public void awaitQueued(Duration most) throws InterruptedException {
        queued.await(() -> waiting.get() > 0, most);
    }

    @Override
    public void capacityFreed() {
        if (waiting.get() > 0) {
            drain();
        }
    }

    @Override
    public void sweep() {
        sweepDue = true;
        drain();
    }

    @Override
    public int waiting() {
        return waiting.get();
    }

    @Override
    public void follow(PoolConfig config) {
        Rules now = rules;
        rules =
                new Rules(
                        config,
                        config.policy() == now.config.policy()
                                ? now.picker
                                : picker(config.policy()));
    }

    @Override
    public void close() {
        closed = true;
        drain();
    }

    /// Whether its pool is gone.
    public boolean closed() {
        return closed;
    }

    /// Picks and takes, again while another loop takes the picked place first.
    private Choice take(InferenceRequest request, List<Endpoint> tried, long now) {
        while (true) {
            Choice choice = choose(pool.snapshot(), rules, request, tried, now);
            if (!(choice instanceof Chosen chosen) || pool.take(chosen.member())) {
                return choice;
            }
        }
    }

    /// An endpoint that must prove itself comes before the policy, for whose figures it would be
    /// the last choice for ever; not for a call that had one failure already.
    private static Choice choose(
            Snapshot snapshot,
            Rules rules,
            InferenceRequest request,
            List<Endpoint> tried,
            long now) {
        if (!snapshot.trials().isEmpty() && (tried.isEmpty() || snapshot.usable().isEmpty())) {
            for (Member member : snapshot.trials()) {
                if (Candidates.accepts(snapshot, member, request.model(), tried, now)) {
                    return new Chosen(
                            member, rules.config.policy(), Why.TRIAL, 0, snapshot.members().size());
                }
            }
        }
        return rules.picker.pick(snapshot, request, tried, now);
    }

    /// Null when it waits now.
    private @Nullable Refusal enter(Waiter waiter, long now) {
        if (closed) {
            return gone();
        }
        QueueConfig config = rules.config.queue();
        int place = waiting.incrementAndGet();
        long bytes = waiter.request().promptBytes();
        long total = waitingBytes.addAndGet(bytes);
        if (place <= config.depth() && total <= config.bytes() && inTime(place, waiter, now)) {
            var ticket = new Ticket(waiter, now, queuedEver.incrementAndGet());
            tickets.put(waiter, ticket);
            inbox.add(ticket);
            if (place == 1) {
                queued.ring();
            }
            return null;
        }
        waiting.decrementAndGet();
        waitingBytes.addAndGet(-bytes);
        if (place > config.depth()) {
            return refusal(
                    "queue_full",
                    "its queue is full: " + (place - 1) + " of " + config.depth() + " calls");
        }
        return total > config.bytes()
                ? refusal(
                        "queue_full",
                        "its queue is full: "
                                + total
                                + " of "
                                + config.bytes()
                                + " bytes with this call")
                : refusal(
                        "queue_wait",
                        "the wait would be about "
                                + predicted(place).toSeconds()
                                + " s, longer than the call may wait");
    }

    /// Whether the predicted wait ends before the call must; true while nothing is measured.
    private boolean inTime(int place, Waiter waiter, long now) {
        return rate.perSecond() == 0
                || incapable(pool.snapshot())
                || predicted(place).toNanos()
                        <= Math.min(
                                rules.config.queue().deadline().toNanos(),
                                waiter.deadlineNanos() - now);
    }

    private void leave(Ticket ticket) {
        waiting.decrementAndGet();
        waitingBytes.addAndGet(-ticket.bytes);
    }

    private void drain() {
        if (work.getAndIncrement() != 0) {
            return;
        }
        int seen = 1;
        do {
            drainOnce(nanoClock.getAsLong());
            seen = work.addAndGet(-seen);
        } while (seen != 0);
    }

    private void drainOnce(long now) {
        for (Ticket ticket = inbox.poll(); ticket != null; ticket = inbox.poll()) {
            queue.add(ticket);
        }
        if (closed) {
            queue.forEach(ticket -> refuse(ticket, gone()));
            queue.clear();
        }
        if (sweepDue) {
            sweepDue = false;
            expire(now);
        }
        int grants = serve(now);
        Ticket first = queue.peek();
        oldestNanos = first == null ? now : first.arrivedNanos;
        rate.observe(now, grants, waiting.get() > 0 && !incapable(pool.snapshot()));
    }

    private void expire(long now) {
        QueueConfig config = rules.config.queue();
        boolean cold = cold(pool.snapshot());
        if (cold) {
            lastColdNanos = now;
        }
        queue.removeIf(
                ticket -> {
                    if (!ticket.waits()) {
                        return true;
                    }
                    if (now - ticket.expiresAt(config, cold, lastColdNanos) < 0) {
                        return false;
                    }
                    refuse(ticket, tooLate(now - ticket.arrivedNanos));
                    return true;
                });
    }

    /// Grants in order for as long as there are slots; a call that only its own wishes keep from a
    /// free slot (model, endpoints tried) does not hold up those behind it.
    private int serve(long now) {
        int grants = 0;
        List<Ticket> aside = new ArrayList<>();
        for (Ticket ticket = queue.poll(); ticket != null; ticket = queue.poll()) {
            if (!ticket.waits()) {
                continue;
            }
            Choice choice = take(ticket.waiter.request(), ticket.tried, now);
            if (choice instanceof Chosen chosen) {
                grants += grant(ticket, chosen, now);
            } else if (choice instanceof None(Because why) && why == Because.TRIED) {
                refuse(ticket, noOther());
            } else {
                aside.add(ticket);
                if (ticket.tried.isEmpty() && !pool.snapshot().mixed()) {
                    break;
                }
            }
        }
        queue.addAll(aside);
        return grants;
    }

    private int grant(Ticket ticket, Chosen chosen, long now) {
        if (!ticket.step(Phase.WAITING, Phase.GRANTED)) {
            pool.giveBack(chosen.member());
            return 0;
        }
        leave(ticket);
        try {
            ticket.waiter.loop().execute(() -> deliver(ticket, chosen, now - ticket.arrivedNanos));
        } catch (RejectedExecutionException e) {
            // Its loop is shut down, and the call with it.
            tickets.remove(ticket.waiter, ticket);
            pool.giveBack(chosen.member());
        }
        return 1;
    }

    private void deliver(Ticket ticket, Chosen chosen, long queuedNanos) {
        if (!ticket.step(Phase.GRANTED, Phase.OVER)) {
            pool.giveBack(chosen.member());
            return;
        }
        tickets.remove(ticket.waiter, ticket);
        ticket.waiter.granted(new Slot(pool, chosen.member(), chosen, queuedNanos));
    }

    private void refuse(Ticket ticket, Refusal refusal) {
        if (!ticket.step(Phase.WAITING, Phase.GRANTED)) {
            return;
        }
        leave(ticket);
        try {
            ticket.waiter
                    .loop()
                    .execute(
                            () -> {
                                if (ticket.step(Phase.GRANTED, Phase.OVER)) {
                                    tickets.remove(ticket.waiter, ticket);
                                    ticket.waiter.refused(refusal);
                                }
                            });
        } catch (RejectedExecutionException e) {
            tickets.remove(ticket.waiter, ticket);
        }
    }

    /// No endpoint could serve anything now.
    private static boolean incapable(Snapshot snapshot) {
        return snapshot.usable().isEmpty() && snapshot.trials().isEmpty();
    }

    /// Whether calls are held for a first endpoint: none exists, or those that do are starting.
    private boolean cold(Snapshot snapshot) {
        return rules.config.queue().hold()
                && incapable(snapshot)
                && snapshot.members().stream()
                        .allMatch(
                                m ->
                                        m.health() instanceof HealthState.Starting
                                                || m.health() instanceof HealthState.Draining);
    }

    /// At most an hour: a queue that stands still has no better answer.
    private Duration predicted(int place) {
        return Duration.ofMillis((long) Math.min(place / rate.perSecond() * 1e3, 3_600e3));
    }

    private Refusal tooLate(long waitedNanos) {
        return refusal(
                incapable(pool.snapshot()) ? "no_endpoint" : "queue_deadline",
                "no slot came free in " + Duration.ofNanos(waitedNanos).toSeconds() + " s");
    }

    private Refusal gone() {
        return refusal("pool_removed", "a new configuration has no such pool");
    }

    private Refusal noOther() {
        return refusal("no_other_endpoint", "every usable endpoint was tried by this call");
    }

    private Refusal refusal(String code, String what) {
        Snapshot snapshot = pool.snapshot();
        int running = 0;
        for (Member member : snapshot.members()) {
            running += member.endpoint().inFlight();
        }
        int queued = waiting.get();
        Duration retry = retryAfter(queued);
        return Refusal.capacity(
                code,
                "pool "
                        + pool.name()
                        + ": "
                        + what
                        + "; "
                        + running
                        + " in flight, "
                        + queued
                        + " queued, "
                        + snapshot.usable().size()
                        + " of "
                        + snapshot.members().size()
                        + " endpoints ready; retry in "
                        + retry.toSeconds()
                        + " s",
                retry);
    }

    /// The measured wait, between 1 s and 60 s; 5 s, about a first ejection, before any was
    /// measured. Up to half more at random, so that those refused together do not return together.
    private Duration retryAfter(int queued) {
        double seconds =
                rate.perSecond() == 0 ? 5 : Math.clamp(queued / rate.perSecond(), 1.0, 60.0);
        return Duration.ofMillis((long) (seconds * (1 + random.nextDouble() / 2) * 1e3));
    }

    /// What a reload may change, replaced as a whole.
    private record Rules(PoolConfig config, Picker picker) {}
}
