package dev.sluice.autoscaler.target;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.autoscaler.FakeProxy;
import dev.sluice.autoscaler.TinyReplica;
import dev.sluice.autoscaler.signal.Condition;
import dev.sluice.autoscaler.signal.Proxies;
import dev.sluice.autoscaler.signal.ProxyReport;
import dev.sluice.autoscaler.signal.ProxySource;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.autoscaler.signal.Replicas.State;
import dev.sluice.shared.ConfigException;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// Real child processes, two fake proxies; the test turns the crank.
class LocalProcessesTest {
    @TempDir Path folder;
    private FakeProxy one;
    private FakeProxy two;
    private Proxies proxies;
    private LocalProcesses target;
    private int firstPort;
    private long skippedMs;

    @BeforeEach
    void open() throws Exception {
        one = new FakeProxy();
        two = new FakeProxy();
        proxies = new Proxies(new ProxySource(List.of(one.url(), two.url()), null, 9901, null));
        firstPort = freePorts();
        target = target(spec(TinyReplica.command(), false));
    }

    @AfterEach
    void close() throws Exception {
        target.close();
        proxies.close();
        one.close();
        two.close();
        assertThat(ProcessHandle.current().descendants().filter(ProcessHandle::isAlive)).isEmpty();
    }

    @Test
    void startsAnnouncesDrainsAndStopsWithoutCuttingACall() throws Exception {
        target.scaleTo(2, now());
        Replicas both = until(r -> r.count(State.READY) == 2);
        turn();
        assertThat(one.endpoints.keySet()).containsExactlyElementsOf(ids(both));
        assertThat(two.endpoints.keySet()).containsExactlyElementsOf(ids(both));
        assertThat(both.coldStart().samples()).isEqualTo(2);

        String busy = ids(both).getFirst();
        String victim = ids(both).getLast();
        one.inFlight.putAll(Map.of(busy, 3, victim, 1));
        target.scaleTo(1, now());
        turn();
        turn();
        turn();
        assertThat(one.endpoints).containsEntry(victim, "draining").containsEntry(busy, "healthy");
        assertThat(two.endpoints).containsEntry(victim, "draining");
        assertThat(look().count(State.DRAINING)).isEqualTo(1); // its call still runs

        one.inFlight.put(victim, 0);
        Replicas left = until(r -> r.all().size() == 1);
        assertThat(ids(left)).containsExactly(busy);
        assertThat(one.endpoints).containsOnlyKeys(busy);
        assertThat(two.endpoints).containsOnlyKeys(busy);
    }

    @Test
    void stopsAtTheDrainLimitAlthoughACallRuns() throws Exception {
        target.scaleTo(1, now());
        Replicas ready = until(r -> r.count(State.READY) == 1);
        turn();
        one.inFlight.put(ids(ready).getFirst(), 1);
        target.scaleTo(0, now());
        turn();
        turn();
        assertThat(look().count(State.DRAINING)).isEqualTo(1);
        skippedMs += 61_000;
        until(r -> r.all().isEmpty());
        one.inFlight.clear();
    }

    @Test
    void takesADrainingReplicaBackBeforeItStartsAnother() throws Exception {
        target.scaleTo(2, now());
        Replicas both = until(r -> r.count(State.READY) == 2);
        turn();
        ids(both).forEach(id -> one.inFlight.put(id, 1));
        target.scaleTo(1, now());
        turn();
        turn();
        target.scaleTo(2, now());
        turn();
        assertThat(look().count(State.READY)).isEqualTo(2);
        assertThat(one.endpoints.values()).containsOnly("healthy");
        one.inFlight.clear();
    }

    @Test
    void registersAgainAtAProxyThatForgot() throws Exception {
        target.scaleTo(1, now());
        until(r -> r.count(State.READY) == 1);
        turn();
        two.restart();
        assertThat(two.endpoints).isEmpty();
        turn();
        assertThat(two.endpoints).hasSize(1);
    }

    @Test
    void replacesAChildThatDied() throws Exception {
        target.scaleTo(1, now());
        Replicas first = until(r -> r.count(State.READY) == 1);
        turn();
        ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
        until(r -> r.count(State.CRASHED) == 1);
        turn();
        turn();
        assertThat(one.endpoints).isEmpty();
        skippedMs += 2_000;
        until(r -> r.count(State.READY) == 1);
        turn();
        assertThat(one.endpoints).containsOnlyKeys(ids(first).getFirst());
    }

    @Test
    void reportsACrashLoopWithItsLastWords() throws Exception {
        target.close();
        target = target(spec(TinyReplica.command("crash"), false));
        target.scaleTo(1, now());
        Replicas r =
                until(
                        x -> {
                            skippedMs += 5_000;
                            return !x.conditions().isEmpty();
                        });
        Condition loop = r.conditions().getFirst();
        assertThat(loop.type()).isEqualTo("CrashLoop");
        assertThat(loop.message()).contains("exit code 3: no such model");
        assertThat(one.endpoints).isEmpty();
    }

    @Test
    void skipsPortsThatAreTakenAndSaysWhenNoneIsLeft() throws Exception {
        try (var taken = new ServerSocket(firstPort, 1, InetAddress.getLoopbackAddress())) {
            target.scaleTo(4, now());
            Replicas r = look();
            assertThat(taken.isBound()).isTrue();
            assertThat(ids(r)).hasSize(3).doesNotContain("127.0.0.1:" + firstPort);
            assertThat(r.conditions()).extracting(Condition::type).contains("NoFreePort");
        }
    }

    @Test
    void adoptsWhatAnEarlierAutoscalerLeft() throws Exception {
        target.close();
        target = target(spec(TinyReplica.command(), true));
        target.scaleTo(1, now());
        Replicas before = until(r -> r.count(State.READY) == 1);
        turn();
        assertThatThrownBy(() -> target(spec(TinyReplica.command(), false)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("another autoscaler runs llama");
        target.close(); // keeps it running
        assertThat(ProcessHandle.current().children().filter(ProcessHandle::isAlive)).hasSize(1);

        target = target(spec(TinyReplica.command(), false));
        Replicas after = until(r -> r.count(State.READY) == 1);
        assertThat(ids(after)).isEqualTo(ids(before));
    }

    /// An autoscaler that is killed between the start of a replica and the note of it, seen from the
    /// replica: what it finds in the notes when it begins.
    @Test
    void noReplicaRunsBeforeItIsWrittenDown() throws Exception {
        target.close();
        Path seen = folder.resolve("seen");
        String script = "cp " + folder.resolve("llama.json") + " " + seen + "; echo $$ >> " + seen;
        target = target(spec(List.of("sh", "-c", script, "{port}"), false));
        target.scaleTo(1, now());
        Awaitility.await().until(() -> Files.exists(seen) && Files.readString(seen).endsWith("\n"));
        String notes = Files.readString(seen);
        String pid = notes.substring(notes.lastIndexOf('}') + 1).strip();
        assertThat(notes).contains("\"pid\":" + pid + ",");
    }

    @Test
    void aReplicaThatCannotBeWrittenDownDoesNotRun() throws Exception {
        target.close();
        Path ran = folder.resolve("ran");
        target = target(spec(List.of("sh", "-c", "touch " + ran + "; sleep 60", "{port}"), false));
        Path inTheWay = Files.createDirectory(folder.resolve("llama.json.new"));
        assertThatThrownBy(() -> target.scaleTo(1, now())).isInstanceOf(UncheckedIOException.class);
        Awaitility.await()
                .until(
                        () ->
                                ProcessHandle.current()
                                        .children()
                                        .noneMatch(ProcessHandle::isAlive));
        assertThat(ran).doesNotExist();
        Files.delete(inTheWay);
    }

    @Test
    void endsWhatAnotherConfigurationLeft() throws Exception {
        target.close();
        target = target(spec(TinyReplica.command("old"), true));
        target.scaleTo(1, now());
        until(r -> r.count(State.READY) == 1);
        target.close();

        target = target(spec(TinyReplica.command(), false));
        assertThat(look().asked()).isZero();
        until(r -> r.all().isEmpty());
    }

    @Test
    void dryRunTouchesNothing() throws Exception {
        var dry = new DryRun(target);
        dry.scaleTo(2, now());
        List<ProxyReport> reports = proxies.poll();
        dry.carryOn(reports, now());
        assertThat(dry.look(reports, now()).all()).isEmpty();
        dry.close();
        assertThat(one.changes).isEmpty();
        assertThat(ProcessHandle.current().children().filter(ProcessHandle::isAlive)).isEmpty();
    }

    private LocalProcesses target(ProcessSpec spec) {
        return new LocalProcesses("llama", spec, Duration.ofMinutes(1), proxies, folder, now());
    }

    private ProcessSpec spec(List<String> command, boolean keep) {
        return new ProcessSpec(
                command,
                firstPort,
                firstPort + 3,
                "127.0.0.1",
                Path.of(""),
                Map.of(),
                "/health",
                1,
                Duration.ofSeconds(5),
                keep);
    }

    private Replicas turn() throws InterruptedException {
        List<ProxyReport> reports = proxies.poll();
        Replicas r = target.look(reports, now());
        target.carryOn(reports, now());
        return r;
    }

    private Replicas look() throws InterruptedException {
        return target.look(proxies.poll(), now());
    }

    private Replicas until(Predicate<Replicas> good) {
        return Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .pollInSameThread()
                .pollInterval(Duration.ofMillis(50))
                .until(this::turn, good);
    }

    private long now() {
        return System.currentTimeMillis() + skippedMs;
    }

    private static List<String> ids(Replicas r) {
        return r.all().stream().map(Replicas.Replica::id).sorted().toList();
    }

    /// The first of four ports in a row that nobody has.
    private static int freePorts() throws Exception {
        for (int tries = 0; ; tries++) {
            try (var any = new ServerSocket(0)) {
                int first = any.getLocalPort() + 1;
                for (int p = first; p < first + 4; p++) {
                    new ServerSocket(p, 1, InetAddress.getLoopbackAddress()).close();
                }
                return first;
            } catch (IOException e) {
                if (tries > 20) {
                    throw e;
                }
            }
        }
    }
}
