package dev.sluice.simulator.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.zip.GZIPOutputStream;

class TraceFileTest {
    private static final String HEADER = "arrival_offset_ms,input_tokens,output_tokens";

    @Test
    void readsCallsInTheOrderOfTheirArrival() throws IOException {
        List<TraceCall> calls = read(HEADER + "\n2000,30,4\n\n1000.5,10,2\n");
        assertThat(calls)
                .containsExactly(
                        new TraceCall(Duration.ofNanos(1_000_500_000), 10, 2, null, List.of()),
                        new TraceCall(Duration.ofSeconds(2), 30, 4, null, List.of()));
    }

    @Test
    void readsClientsAndBlocksWhereTheyAreGiven() throws IOException {
        List<TraceCall> calls =
                read(
                        "block_hash_ids,prefix_blocks_seen_before,client_id,"
                                + HEADER
                                + "\n0 14 15,1,team-a,5,1025,7\n");
        assertThat(calls.getFirst().blocks()).containsExactly(0L, 14L, 15L);
        assertThat(calls.getFirst().clientId()).isEqualTo("team-a");
    }

    @Test
    void countsAnEmptyPromptAsOneToken() throws IOException {
        assertThat(read(HEADER + "\n0,0,0\n").getFirst().inputTokens()).isEqualTo(1);
    }

    @Test
    void readsGzip(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("trace.csv.gz");
        try (var out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write((HEADER + "\n1,2,3\n").getBytes(StandardCharsets.UTF_8));
        }
        assertThat(TraceFile.read(file)).hasSize(1);
    }

    @Test
    void namesTheLineAndTheFix(@TempDir Path folder) throws IOException {
        assertWrong(HEADER + "\n1,2,3\n1,x,3\n", "line 3", "input_tokens is \"x\"", "number");
        assertWrong(HEADER + "\n1,2\n", "line 2", "has 2 fields", "write 3");
        assertWrong(HEADER + "\n-1,2,3\n", "line 2", "arrival_offset_ms is \"-1\"", "0 or more");
        assertWrong(HEADER + "\n1,2.5,3\n", "line 2", "input_tokens", "whole number");
        assertWrong(
                "arrival_offset_ms,input_token,output_tokens\n",
                "line 1",
                "no column input_tokens",
                "did you mean input_token?");
        assertWrong(HEADER + "\n", "has no calls", "add rows");
        assertWrong("", "is empty", "header");
        Path plain = Files.writeString(folder.resolve("plain.csv.gz"), HEADER);
        assertThatThrownBy(() -> TraceFile.read(plain)).hasMessageContaining("is not gzip");
        assertThatThrownBy(() -> TraceFile.read(folder.resolve("none.csv")))
                .hasMessageContaining("no such file");
    }

    private static void assertWrong(String text, String... parts) {
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(TraceException.class)
                .hasMessageContainingAll(parts);
    }

    private static List<TraceCall> read(String text) throws IOException {
        return TraceFile.read("t.csv", new BufferedReader(new StringReader(text)));
    }
}
