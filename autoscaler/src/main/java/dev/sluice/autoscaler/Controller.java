package dev.sluice.autoscaler;

import dev.sluice.autoscaler.AutoscalerConfig.Entry;
import dev.sluice.autoscaler.kubernetes.Cluster;
import dev.sluice.autoscaler.kubernetes.InferenceScaler;
import dev.sluice.autoscaler.kubernetes.KubernetesConfig;
import dev.sluice.autoscaler.kubernetes.KubernetesTarget;
import dev.sluice.autoscaler.kubernetes.Leadership;
import dev.sluice.autoscaler.kubernetes.ProxyPods;
import dev.sluice.autoscaler.kubernetes.Rivals;
import dev.sluice.autoscaler.kubernetes.Teller;
import dev.sluice.autoscaler.signal.Condition;
import dev.sluice.autoscaler.signal.Proxies;
import dev.sluice.autoscaler.signal.ProxySource;
import dev.sluice.autoscaler.target.DryRun;
import dev.sluice.autoscaler.target.ScaleTarget;
import dev.sluice.shared.ConfigException;
import dev.sluice.shared.ConfigProblem;
import dev.sluice.shared.ConfigSource;
import dev.sluice.shared.ScalingStatus;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.fabric8.kubernetes.client.utils.Serialization;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/// The Kubernetes half: while this process holds the lease, a loop runs for each `InferenceScaler`
/// of the namespace and for each scaler of the file that names a Kubernetes target.
///
/// Level-triggered: once a second what should run is compared with what runs. A resource whose spec
/// or pause has changed gets a new loop; the old one has ended before. Without the lease nothing
/// runs, and a write that is under way is refused ({@link Cluster}).
final class Controller implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Controller.class);
    private static final Duration TURN = Duration.ofSeconds(1);
    private static final Duration MAX_BACK_OFF = Duration.ofSeconds(30);

    /// On a resource: everything but acting.
    private static final String PAUSED = "sluice.dev/paused";

    private final KubernetesConfig config;
    private final List<Entry> fromFile;
    private final Duration interval;
    private final Meters meters;
    private final LongSupplier clock;
    private final boolean dryRun;
    private final KubernetesClient client;
    private final String namespace;
    private final @Nullable Leadership leadership;
    private final @Nullable SharedIndexInformer<InferenceScaler> resources;
    private final Cluster cluster;
    private final Map<String, Running> running = new ConcurrentHashMap<>();
    private final Map<String, Teller> refused = new HashMap<>();
    private final Thread thread;

    /// What should run.
    ///
    /// @param generation of the resource; 0 for an entry of the file
    /// @param resource null for an entry of the file
    private record Wanted(
            Entry entry, boolean paused, long generation, @Nullable InferenceScaler resource) {

        boolean same(Wanted other) {
            return generation == other.generation
                    && paused == other.paused
                    && entry.equals(other.entry)
                    && Objects.equals(uid(), other.uid());
        }

        private @Nullable String uid() {
            return resource == null ? null : resource.getMetadata().getUid();
        }
    }

    private record Running(Wanted wanted, Scaler scaler, Thread thread) {}

    Controller(
            AutoscalerConfig file,
            KubernetesConfig config,
            Meters meters,
            LongSupplier clock,
            boolean dryRun) {
        this.config = config;
        this.fromFile =
                file.scalers().stream().filter(e -> e.target() instanceof ScaleTarget).toList();
        this.interval = file.interval();
        this.meters = meters;
        this.clock = clock;
        this.dryRun = dryRun;
        this.client = connect(config.leaseDuration());
        this.namespace =
                config.namespace() != null
                        ? config.namespace()
                        : client.getNamespace() == null ? "default" : client.getNamespace();
        this.leadership =
                dryRun
                        ? null
                        : new Leadership(
                                client,
                                namespace,
                                config.lease(),
                                identity(),
                                config.leaseDuration(),
                                System::nanoTime);
        this.resources = config.resources() ? watch() : null;
        this.cluster = new Cluster(client, namespace, this::mayAct);
        this.thread = Thread.ofVirtual().name("controller").start(this::run);
    }

    /// What each scaler said last.
    List<ScalingStatus> statuses() {
        return running.values().stream()
                .map(r -> r.scaler.status())
                .filter(Objects::nonNull)
                .toList();
    }

    /// Ends the loops, gives the lease back; replicas stay as they are.
    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join();
            stopAll();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (leadership != null) {
            leadership.close();
        }
        client.close();
    }

    private boolean mayAct() {
        return leadership != null && leadership.holds() && fresh();
    }

    /// Whether changes of the resources would be seen.
    private boolean fresh() {
        return resources == null || (resources.hasSynced() && resources.isWatching());
    }

    private void run() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                try {
                    turn();
                } catch (RuntimeException e) {
                    log.error("a turn failed, the next one follows", e);
                }
                Thread.sleep(TURN);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closing
        }
    }

    private void turn() throws InterruptedException {
        meters.leader(mayAct());
        if (leadership != null && !leadership.holds()) {
            stopAll();
            return;
        }
        if (!fresh()) {
            return; // loops go on and look; what they would write is refused
        }
        Map<String, Wanted> wanted = wanted();
        for (String key : List.copyOf(running.keySet())) {
            Wanted now = wanted.get(key);
            Running is = running.get(key);
            if (is != null && (now == null || !now.same(is.wanted))) {
                stop(key, is);
            }
        }
        wanted.forEach((key, w) -> running.computeIfAbsent(key, _ -> start(key, w)));
    }

    private Map<String, Wanted> wanted() {
        var out = new LinkedHashMap<String, Wanted>();
        for (Entry entry : fromFile) {
            out.put("file/" + entry.pool(), new Wanted(entry, false, 0, null));
        }
        List<InferenceScaler> all =
                resources == null
                        ? List.of()
                        : resources.getStore().list().stream()
                                .filter(r -> r.getSpec() != null)
                                .toList();
        var names = new ArrayList<String>();
        for (InferenceScaler each : all) {
            String name = each.getMetadata().getName();
            names.add(name);
            if (each.getMetadata().getDeletionTimestamp() != null) {
                continue;
            }
            Condition refusal = null;
            String rival = Rivals.of(each, all);
            if (rival != null) {
                refusal =
                        new Condition(
                                "Conflict",
                                rival
                                        + " scales "
                                        + each.getSpec().target().name()
                                        + " too, and is older: delete one of them");
            }
            try {
                Entry entry = entry(each);
                if (refusal == null) {
                    boolean paused = "true".equals(each.getMetadata().getAnnotations().get(PAUSED));
                    out.put(
                            name,
                            new Wanted(entry, paused, each.getMetadata().getGeneration(), each));
                    refused.remove(name);
                    continue;
                }
            } catch (ConfigException e) {
                refusal = new Condition("InvalidSpec", sentence(e));
            }
            refused.computeIfAbsent(name, _ -> new Teller(cluster, each))
                    .tell(null, List.of(refusal));
        }
        refused.keySet().retainAll(names);
        return out;
    }

    private Entry entry(InferenceScaler resource) {
        return ConfigSource.parseForeign(
                "InferenceScaler " + resource.getMetadata().getName(),
                Serialization.asJson(resource.getSpec()),
                Entry::from);
    }

    private static String sentence(ConfigException e) {
        return e.problems().stream()
                .map((ConfigProblem p) -> p.path() + ": " + p.message() + ", " + p.fix())
                .collect(Collectors.joining("; "));
    }

    private Running start(String key, Wanted w) {
        Entry entry = w.entry;
        if (!(entry.target() instanceof ScaleTarget what)) {
            throw new IllegalStateException(key + " has no target in Kubernetes");
        }
        ProxySource from = entry.proxies();
        String token = from.token() == null ? config.proxiesToken() : from.token();
        var proxies =
                from.service() == null
                        ? new Proxies(from, token)
                        : new Proxies(new ProxyPods(cluster, from.service(), from.port()), token);
        var real =
                new KubernetesTarget(
                        cluster, what, entry.pool(), entry.spec().scaleDown().drain(), proxies);
        boolean tellOnly = dryRun || w.paused;
        var scaler =
                new Scaler(
                        entry.pool(),
                        entry.spec(),
                        proxies,
                        tellOnly ? new DryRun(real) : real,
                        interval,
                        meters);
        Teller teller = w.resource == null ? null : new Teller(cluster, w.resource);
        Thread loop =
                Thread.ofVirtual()
                        .name("scale " + key)
                        .start(() -> loop(key, scaler, teller, w.paused, tellOnly));
        log.info(
                "{}: scales {} for pool {}{}", key, what, entry.pool(), w.paused ? ", paused" : "");
        return new Running(w, scaler, loop);
    }

    private void loop(
            String key, Scaler scaler, @Nullable Teller teller, boolean paused, boolean tellOnly) {
        Duration backOff = interval;
        try {
            while (!Thread.currentThread().isInterrupted()) {
                Duration wait;
                try {
                    wait = scaler.step(clock, tellOnly);
                    backOff = interval;
                } catch (KubernetesClientException e) {
                    log.warn(
                            "{}: {}; tried again in {} s",
                            key,
                            e.getMessage(),
                            backOff.toSeconds());
                    wait = backOff;
                    backOff = min(backOff.multipliedBy(2), MAX_BACK_OFF);
                } catch (RuntimeException e) {
                    log.error("{}: a look failed, the next one follows", key, e);
                    wait = backOff;
                    backOff = min(backOff.multipliedBy(2), MAX_BACK_OFF);
                }
                if (teller != null) {
                    teller.tell(scaler.status(), extra(scaler, paused));
                }
                scaler.pause(wait);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // stopped
        } finally {
            meters.forget(scaler.pool());
            scaler.closeQuietly();
        }
    }

    private static List<Condition> extra(Scaler scaler, boolean paused) {
        var out = new ArrayList<Condition>();
        Condition obstacle = scaler.obstacle();
        if (obstacle != null) {
            out.add(obstacle);
        }
        if (paused) {
            out.add(new Condition("Paused", "the annotation " + PAUSED + " is true"));
        }
        return out;
    }

    private void stopAll() throws InterruptedException {
        for (Map.Entry<String, Running> each : running.entrySet()) {
            stop(each.getKey(), each.getValue());
        }
    }

    private void stop(String key, Running is) throws InterruptedException {
        is.thread.interrupt();
        is.thread.join();
        running.remove(key);
        log.info("{}: stopped", key);
    }

    private SharedIndexInformer<InferenceScaler> watch() {
        SharedIndexInformer<InferenceScaler> informer =
                client.resources(InferenceScaler.class).inNamespace(namespace).runnableInformer(0);
        informer.exceptionHandler(
                (_, cause) -> {
                    log.warn("InferenceScalers of {}: {}", namespace, cause.getMessage());
                    return true;
                });
        informer.start();
        return informer;
    }

    /// A request that outlives the lease would act for one that has lost it.
    private static KubernetesClient connect(Duration lease) {
        Config found = Config.autoConfigure(null);
        int timeOutMs = (int) lease.dividedBy(4).toMillis();
        return new KubernetesClientBuilder()
                .withConfig(
                        new ConfigBuilder(found)
                                .withRequestTimeout(timeOutMs)
                                .withConnectionTimeout(timeOutMs)
                                .withRequestRetryBackoffLimit(0)
                                .build())
                .build();
    }

    private static String identity() {
        String host;
        try {
            host = InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            host = "autoscaler";
        }
        return host + "_" + UUID.randomUUID();
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }
}
