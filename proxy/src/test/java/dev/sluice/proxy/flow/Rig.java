package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.proxy.ProxyConfig;
import dev.sluice.proxy.accounting.CallRecord;
import dev.sluice.proxy.accounting.ClientMeters;
import dev.sluice.proxy.accounting.TokenEstimates;
import dev.sluice.proxy.admission.Gate;
import dev.sluice.proxy.admission.Guards;
import dev.sluice.proxy.admission.MemoryUse;
import dev.sluice.proxy.call.Lane;
import dev.sluice.proxy.call.Terms;
import dev.sluice.proxy.listener.Listener;
import dev.sluice.proxy.pool.Member;
import dev.sluice.proxy.pool.PoolControl;
import dev.sluice.proxy.request.Tracing;
import dev.sluice.proxy.response.Outcome;
import dev.sluice.proxy.response.Tails;
import dev.sluice.proxy.routing.Dispatcher;
import dev.sluice.proxy.routing.Router;
import dev.sluice.proxy.upstream.Connections;
import dev.sluice.shared.ConfigSource;

import io.netty.channel.EventLoop;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/// A proxy on a free port, wired as `Proxy` does it, with its records and counts in view.
final class Rig implements AutoCloseable {
    private final List<CallRecord> records = new CopyOnWriteArrayList<>();
    private final PoolControl control;
    private final List<Dispatcher> dispatchers;
    private final Listener listener;
    private final List<RawClient> clients = new ArrayList<>();
    private final ClientMeters clientMeters = new ClientMeters();
    private final Guards guards;
    private final Tracing tracing;
    private volatile MemoryUse memory = new MemoryUse(0, 0);
    private boolean stopped;

    /// @param yaml further top-level configuration
    static Rig of(String yaml, Origin... origins) throws IOException {
        return pool(yaml, "", origins);
    }

    /// @param poolYaml further configuration of the pool, as lines without indentation
    static Rig pool(String yaml, String poolYaml, Origin... origins) throws IOException {
        return traced(Tracing.OFF, yaml, poolYaml, origins);
    }

    static Rig traced(Tracing tracing, String yaml, String poolYaml, Origin... origins)
            throws IOException {
        var text = new StringBuilder(yaml);
        if (!yaml.contains("server:")) {
            text.append("\nserver: {stop_after: 0s}");
        }
        text.append("\nlisten: 127.0.0.1:0\npools:\n  - name: p\n    models: [m]\n");
        text.append("    policy: round_robin\n    health: {interval: 60s, slow_start: 0s}\n");
        poolYaml.lines().forEach(line -> text.append("    ").append(line).append('\n'));
        text.append("    endpoints:\n");
        for (Origin origin : origins) {
            text.append("      - url: ").append(origin.url()).append('\n');
        }
        ProxyConfig config =
                ConfigSource.parse("test", text.toString(), name -> null, ProxyConfig::from);
        var rig = new Rig(config, tracing);
        rig.awaitUsable(origins.length);
        return rig;
    }

    private Rig(ProxyConfig config, Tracing tracing) throws IOException {
        this.tracing = tracing;
        this.guards = Guards.of(config.memory(), () -> memory);
        RandomGenerator random = new Random(1);
        var tls = config.upstream().tls();
        control =
                new PoolControl(
                        config.pools(),
                        tls == null ? null : tls.context().context(),
                        System::nanoTime,
                        random);
        dispatchers =
                control.pools().stream()
                        .map(pool -> new Dispatcher(pool, System::nanoTime, random))
                        .toList();
        var terms =
                new Terms(
                        new Gate(config.keys(), System.nanoTime()),
                        new Router(dispatchers, config.aliases()),
                        config.calls());
        listener =
                Listener.bind(
                        config.listen(),
                        config.listener(),
                        null,
                        loop -> lane(loop, config, terms));
        control.start();
    }

    private Lane lane(EventLoop loop, ProxyConfig config, Terms terms) {
        var connections =
                new Connections(
                        loop,
                        config.listener().sockets().client(),
                        config.upstream(),
                        System::nanoTime);
        return new Lane(
                loop,
                () -> terms,
                connections,
                new Tails(),
                new TokenEstimates(),
                records::add,
                tracing,
                clientMeters,
                guards.memory(),
                guards.bodies().share(),
                System::nanoTime,
                System::currentTimeMillis);
    }

    private void awaitUsable(int count) {
        await().atMost(Duration.ofSeconds(10))
                .pollInterval(Duration.ofMillis(5))
                .until(() -> usable() == count);
    }

    long usable() {
        return control.pools().stream().mapToLong(p -> p.snapshot().usable().size()).sum();
    }

    /// Lets the guard see these shares of memory.
    void memory(double heap, double direct) {
        memory = new MemoryUse(heap, direct);
        guards.memory().look();
    }

    /// Bytes of request bodies that are held, to a step of the count.
    long heldBodies() {
        return guards.bodies().bytes();
    }

    ClientMeters closings() {
        return clientMeters;
    }

    RawClient client() throws IOException {
        return client(0);
    }

    RawClient client(int receiveBuffer) throws IOException {
        var client = new RawClient(listener.port(), receiveBuffer);
        clients.add(client);
        return client;
    }

    int port() {
        return listener.port();
    }

    int connections() {
        return listener.connections();
    }

    /// Calls begun and not yet at their last byte.
    int calls() {
        return listener.calls();
    }

    int inFlight() {
        return members().mapToInt(m -> m.endpoint().inFlight()).sum();
    }

    int queued() {
        return dispatchers.stream().mapToInt(d -> d.queue().waiting()).sum();
    }

    private Stream<Member> members() {
        return control.pools().stream().flatMap(p -> p.snapshot().members().stream());
    }

    /// Asserts that nothing runs any more and that each call left exactly one record.
    List<CallRecord> settled(int calls) {
        await().atMost(Duration.ofSeconds(5))
                .pollInterval(Duration.ofMillis(5))
                .untilAsserted(
                        () -> {
                            assertThat(inFlight()).as("in-flight").isZero();
                            assertThat(queued()).as("queued").isZero();
                            assertThat(listener.calls()).as("calls").isZero();
                            assertThat(records).as("records").hasSize(calls);
                        });
        return records;
    }

    /// The same, for one call; how it ended.
    Outcome outcome() {
        return settled(1).getFirst().outcome();
    }

    /// Stops as on SIGTERM; blocks.
    ///
    /// @return calls that were cut
    int stop() throws InterruptedException {
        stopped = true;
        return listener.stop(false);
    }

    @Override
    public void close() throws IOException, InterruptedException {
        for (RawClient client : clients) {
            client.close();
        }
        if (!stopped) {
            stop();
        }
        control.close();
        assertThat(inFlight()).as("in-flight after the end").isZero();
    }
}
