package dev.sluice.simulator.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.sluice.simulator.replica.Replica;

import org.jspecify.annotations.Nullable;

import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.HexFormat;
import java.util.random.RandomGenerator;

/// What the replica did: its meters, and its last generations for whoever asks `/sim/requests`.
public final class Ledger {
    private static final int KEPT = 200;

    /// One ended generation.
    ///
    /// @param ending stop, length, tool_calls, aborted or fault
    /// @param ttftMillis null when there was no token
    record Entry(
            String id,
            String path,
            boolean stream,
            int promptTokens,
            int cachedTokens,
            int outputTokens,
            String ending,
            @Nullable Double ttftMillis,
            double millis) {}

    private final InstantSource wallClock;
    private final String servedModel;
    private final EngineMetrics metrics;
    private final ArrayDeque<Entry> last = new ArrayDeque<>();
    private final RandomGenerator random;

    public Ledger(InstantSource wallClock, RandomGenerator random, String servedModel) {
        this.wallClock = wallClock;
        this.random = random;
        this.servedModel = servedModel;
        this.metrics = new EngineMetrics(servedModel);
    }

    EngineMetrics metrics() {
        return metrics;
    }

    String servedModel() {
        return servedModel;
    }

    /// A new id, 32 hexadecimal digits as vLLM's.
    String nextId() {
        return HexFormat.of().toHexDigits(random.nextLong())
                + HexFormat.of().toHexDigits(random.nextLong());
    }

    long epochSeconds() {
        return wallClock.instant().getEpochSecond();
    }

    void add(Entry entry) {
        last.addFirst(entry);
        if (last.size() > KEPT) {
            last.removeLast();
        }
    }

    /// The answer of `/sim/requests`: counts since the start, then the last generations, newest
    /// first.
    String json(Replica replica) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("submitted", metrics.submittedTotal());
        root.put("started", metrics.startedTotal());
        root.put("finished", metrics.finishedTotal());
        root.put("aborted", metrics.abortedTotal());
        root.put("faulted", metrics.faultedTotal());
        root.put("running", replica.running());
        root.put("waiting", replica.waiting());
        ArrayNode list = root.putArray("last");
        for (Entry entry : last) {
            ObjectNode node = list.addObject();
            node.put("id", entry.id);
            node.put("path", entry.path);
            node.put("stream", entry.stream);
            node.put("prompt_tokens", entry.promptTokens);
            node.put("cached_tokens", entry.cachedTokens);
            node.put("output_tokens", entry.outputTokens);
            node.put("ending", entry.ending);
            node.put("ttft_ms", entry.ttftMillis);
            node.put("ms", entry.millis);
        }
        return root.toString();
    }
}
