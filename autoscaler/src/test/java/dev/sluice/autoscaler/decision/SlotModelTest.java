package dev.sluice.autoscaler.decision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.autoscaler.signal.Cpu;
import dev.sluice.autoscaler.signal.Observation;
import dev.sluice.autoscaler.signal.Observation.EndpointSample;
import dev.sluice.autoscaler.signal.Observation.Load;
import dev.sluice.autoscaler.signal.Replicas;
import dev.sluice.autoscaler.signal.Replicas.ColdStart;
import dev.sluice.autoscaler.signal.Replicas.Replica;
import dev.sluice.autoscaler.signal.Replicas.State;
import dev.sluice.shared.ConfigSource;

import org.junit.jupiter.api.Test;

import java.util.List;

class SlotModelTest {
    private static final long READY_MS = 1_000_000;
    private final Replicas replicas =
            new Replicas(
                    List.of(new Replica("r", State.READY, READY_MS, null)),
                    ColdStart.UNKNOWN,
                    List.of());
    private long nowMs = READY_MS + 200_000;

    @Test
    void theConfiguredNumberWins() {
        var model = model("load: {slotsPerReplica: 12}");
        feed(model, 20, null);
        assertThat(model.slots()).isEqualTo(12);
    }

    @Test
    void learnsTheLargestBatchWithinTheObjective() {
        var model = model("load: {objective: 2}");
        feed(model, 40, null); // 20 + 0.5 n: 2 x 20.5 = 41 at n = 42
        assertThat(model.slots()).isCloseTo(42, within(0.01));
    }

    @Test
    void neverPromisesMuchMoreThanItSaw() {
        var model = model("load: {objective: 3}");
        feed(model, 10, null);
        assertThat(model.slots()).isCloseTo(15, within(0.01));
    }

    @Test
    void neverTheRawCap() {
        var model = model("load: {objective: 3}");
        feed(model, 40, 16);
        assertThat(model.slots()).isCloseTo(12.8, within(0.01));
    }

    @Test
    void theSeedStandsInUntilEnoughIsKnown() {
        assertThat(model("load: {seed: 5}").slots()).isEqualTo(5);
        var model = model("load: {seed: 5}");
        feed(model, 3, null); // three sizes are no line
        assertThat(model.slots()).isEqualTo(5);
    }

    @Test
    void leavesOutTheFirstMinutesOfAReplica() {
        nowMs = READY_MS;
        var model = model("load: {seed: 5, warmUp: 2h}");
        feed(model, 40, null);
        assertThat(model.slots()).isEqualTo(5);
    }

    /// Batches of 1 to `largest`, each long enough to be steady.
    private void feed(SlotModel model, int largest, Integer cap) {
        for (int n = 1; n <= largest; n++) {
            for (int i = 0; i < 10; i++) {
                nowMs += 1_000;
                var e = new EndpointSample("r", n, n, null, cap, 0, 20 + 0.5 * n);
                var load = new Load(n, 0, 0, 0, null, 0, 0, 0, 0, 0, null, List.of(e));
                model.learn(new Observation(nowMs, 1, load, List.of(), new Cpu(0, 0, 1)), replicas);
            }
        }
    }

    private static SlotModel model(String yaml) {
        return new SlotModel(ConfigSource.parse("test", yaml, n -> null, Spec::from).load());
    }
}
