package dev.sluice.proxy.accounting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.request.TraceContext;
import dev.sluice.proxy.response.Outcome;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

class AccessLogTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir Path folder;

    @Test
    void writesWhatIsKnownOfACall() throws IOException {
        JsonNode line = line(Calls.ok("req-1", "llama-3.1"));
        assertThat(line.toString())
                .isEqualTo(
                        "{\"time\":\"2023-11-14T22:13:20Z\",\"id\":\"req-1\",\"method\":\"POST\","
                            + "\"path\":\"/v1/chat/completions\",\"status\":200,\"outcome\":\"completed\",\"reason\":\"least_loaded"
                            + " load=3.0 of 4\",\"model\":\"llama-3.1\","
                            + "\"stream\":true,\"pool\":\"llama\",\"endpoint\":\"10.0.0.1:8000\","
                            + "\"attempts\":[{\"endpoint\":\"10.0.0.1:8000\",\"result\":\"ok\","
                            + "\"status\":200,\"ms\":1000.0,\"reused\":true}],\"queue_ms\":2.0,"
                            + "\"ttft_ms\":100.0,\"total_ms\":1000.0,\"overhead_us\":150,"
                            + "\"prompt_tokens\":500,\"output_tokens\":31,\"tokens_reported\":true,"
                            + "\"bytes_in\":2000,\"bytes_out\":9000}");
    }

    @Test
    void leavesOutWhatDoesNotApply() throws IOException {
        JsonNode line = line(refused("/v1/chat/completions", ""));
        assertThat(line.fieldNames())
                .toIterable()
                .containsExactly(
                        "time",
                        "id",
                        "trace_id",
                        "client",
                        "method",
                        "path",
                        "status",
                        "outcome",
                        "reason",
                        "total_ms",
                        "bytes_in",
                        "bytes_out");
        assertThat(line.get("client").asText()).isEqualTo("192.0.2.7:4711");
        assertThat(line.get("trace_id").asText()).isEqualTo("0af7651916cd43dd8448eb211c80319c");
    }

    @Test
    void saysWhereTheClientLeft() throws IOException {
        var left = new Outcome.Cancelled(Outcome.Phase.WAITING);
        JsonNode line = line(Calls.of("a", "m", "p", left, 0, AttemptResult.CLIENT_GONE));
        assertThat(line.get("outcome").asText()).isEqualTo("cancelled");
        assertThat(line.get("phase").asText()).isEqualTo("waiting");
        assertThat(line.has("status")).isFalse();
        assertThat(line.has("ttft_ms")).isFalse();
    }

    @Test
    void keepsALineALineWhateverTheClientSends() throws IOException {
        String nasty = "a\n\r\t\u0000\u001b[2J\u007f\u009b\u2028\"\\" + "x".repeat(5_000);
        var out = new ByteArrayOutputStream();
        new LogLine().write(refused(nasty, nasty), out);
        String text = out.toString(StandardCharsets.ISO_8859_1);
        assertThat(text).endsWith("}\n").hasSizeLessThan(1_500);
        assertThat(text.substring(0, text.length() - 1).chars()).allMatch(c -> c >= ' ' && c < 127);
        JsonNode line = JSON.readTree(text);
        assertThat(line.get("model").asText()).hasSize(256).startsWith(nasty.substring(0, 200));
    }

    @Test
    void writesOnIntoTheNewFileAfterRotation() throws IOException {
        Path file = folder.resolve("access.log");
        try (var log = new AccessLog(new AccessLogConfig(file, 64))) {
            log.ended(Calls.ok("first", "m"));
            await().until(() -> Files.readString(file).contains("\"first\""));
            Files.move(file, folder.resolve("access.log.1"));
            await().until(() -> Files.exists(file) || offered(log));
            log.ended(Calls.ok("last", "m"));
        }
        assertThat(Files.readString(file)).endsWith("}\n").contains("\"last\"");
        assertThat(Files.readString(folder.resolve("access.log.1"))).startsWith("{");
    }

    private static boolean offered(AccessLog log) {
        log.ended(Calls.ok("between", "m"));
        return false;
    }

    @Test
    void countsWhatDoesNotFit() throws Exception {
        var taken = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var done = new AtomicInteger();
        var work =
                new Backlog.Work<String>() {
                    @Override
                    public void item(String item) throws Exception {
                        taken.countDown();
                        goOn.await();
                        done.incrementAndGet();
                        if (item.equals("bad")) {
                            throw new IOException("no space");
                        }
                    }

                    @Override
                    public void pause() {}

                    @Override
                    public void end() {}
                };
        try (var backlog = new Backlog<>("test", 8, work)) {
            backlog.offer("bad");
            taken.await();
            for (int i = 0; i < 10; i++) {
                backlog.offer("x");
            }
            assertThat(backlog.dropped()).isEqualTo(2);
            goOn.countDown();
            await().until(() -> done.get() == 9);
            assertThat(backlog.dropped()).isEqualTo(3);
        }
    }

    @Test
    void losesNothingAmongManyProducers() throws InterruptedException {
        var ring = new MpscRing<Integer>(64);
        int each = 20_000;
        Thread[] producers = new Thread[3];
        for (int p = 0; p < producers.length; p++) {
            int from = p * each;
            producers[p] =
                    Thread.ofPlatform()
                            .start(
                                    () -> {
                                        for (int i = from; i < from + each; i++) {
                                            while (!ring.offer(i)) {
                                                Thread.onSpinWait();
                                            }
                                        }
                                    });
        }
        int[] last = {-1, -1, -1};
        for (int n = 0; n < producers.length * each; ) {
            Integer got = ring.poll();
            if (got == null) {
                Thread.onSpinWait();
                continue;
            }
            n++;
            assertThat(got).isGreaterThan(last[got / each]);
            last[got / each] = got;
        }
        assertThat(ring.poll()).isNull();
        for (Thread producer : producers) {
            producer.join();
        }
    }

    private static JsonNode line(CallRecord call) throws IOException {
        var out = new ByteArrayOutputStream();
        new LogLine().write(call, out);
        return JSON.readTree(out.toByteArray());
    }

    private static CallRecord refused(String path, String model) throws IOException {
        var refusal = Refusal.invalid(404, "unknown_path", "no", null);
        return new CallRecord(
                new InferenceRequest("r", Api.CHAT, model, false, 0, 0, "", null),
                "POST",
                path,
                "",
                1_700_000_000_000L,
                0,
                new InetSocketAddress("192.0.2.7", 4711),
                new TraceContext(
                        "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", null, true),
                new Outcome.Rejected(refusal),
                404,
                List.of(),
                0,
                -1,
                100_000,
                0,
                0,
                false,
                0,
                0,
                120,
                "unknown_path");
    }
}
