package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.sluice.shared.AdminAnswer;
import dev.sluice.shared.AdminConfig;
import dev.sluice.shared.AdminRoute;
import dev.sluice.shared.AdminServer;
import dev.sluice.shared.LoadReport;
import dev.sluice.shared.LoadReport.EndpointLoad;
import dev.sluice.shared.LoadReport.PoolLoad;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

@Timeout(60)
class TopCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final AtomicInteger asked = new AtomicInteger();
    private final AdminServer proxy =
            AdminServer.start(
                    new AdminConfig("127.0.0.1", 0, null),
                    List.of(AdminRoute.get("/admin/v1/load", _ -> answer())));

    /// Each second question finds nothing well.
    private AdminAnswer answer() {
        return asked.incrementAndGet() % 2 == 0
                ? AdminAnswer.notFound("path", "nothing here", "look elsewhere")
                : AdminAnswer.ok(report());
    }

    private static LoadReport report() {
        return new LoadReport(
                "p-1",
                60_000,
                0,
                true,
                List.of(
                        new PoolLoad(
                                "llama",
                                List.of(),
                                5,
                                0,
                                0,
                                0,
                                null,
                                16,
                                9,
                                8,
                                0,
                                0,
                                0,
                                0,
                                0,
                                null,
                                List.of(
                                        endpoint("a", 1, null, null),
                                        endpoint("b", 4, 3.0, 100L),
                                        endpoint("c", 0, 7.0, 9_000L)))));
    }

    private static EndpointLoad endpoint(String id, int inFlight, Double waiting, Long ageMs) {
        return new EndpointLoad(
                id,
                "http://" + id,
                "healthy",
                "well",
                0,
                inFlight,
                8,
                null,
                waiting,
                null,
                ageMs,
                3,
                0,
                null);
    }

    private int top(String... flags) {
        var console = new Console(new PrintWriter(out, true), new PrintWriter(err, true), false);
        var args = new String[flags.length + 3];
        args[0] = "top";
        args[1] = "--admin";
        args[2] = "127.0.0.1:" + proxy.port();
        System.arraycopy(flags, 0, args, 3, flags.length);
        return Main.run(console, args);
    }

    @AfterEach
    void stop() {
        proxy.close();
    }

    @Test
    void looksOnceWithoutATerminal() {
        assertThat(top("--sort", "waiting")).isZero();
        assertThat(out.toString().lines().map(l -> l.substring(0, 1)))
                .containsExactly("p", "e", "c", "b", "a");
        assertThat(out.toString())
                .contains("in flight 5/16")
                .contains("waiting and KV read 9 s ago")
                .containsPattern("a +healthy +1/8 +- +-");
    }

    @Test
    void writesOneObjectForEachLookAndSaysWhenNobodyAnswers() throws Exception {
        assertThat(top("--json", "--interval", "100ms", "--count", "2")).isEqualTo(1);
        List<String> lines = out.toString().lines().toList();
        assertThat(lines).hasSize(2);
        JsonNode first = new ObjectMapper().readTree(lines.get(0));
        assertThat(first.at("/pools/0/endpoints/0/waiting").isNull()).isTrue();
        JsonNode second = new ObjectMapper().readTree(lines.get(1));
        assertThat(second.get("unreachable").asText()).contains("nothing here");
        assertThat(second.get("time_ms").asLong()).isPositive();
    }

    @Test
    void failsWhenTheOnlyLookDoes() {
        asked.set(1);
        assertThat(top()).isEqualTo(1);
        assertThat(err.toString()).contains("nothing here");
        assertThat(top("--sort", "size")).isEqualTo(2);
        assertThat(err.toString()).contains("there are endpoint, state, in-flight");
    }

    @Test
    void keepsTheLastPictureAndSaysHowOldItIs() {
        var picture = new TopCommand.TopPicture(LoadView.Order.USUAL, report());
        assertThat(picture.lines(60_000)).anyMatch(l -> l.contains("q ends"));
        picture.unheard("nothing answers at http://x");
        assertThat(picture.lines(72_000))
                .contains("UNREACHABLE, this is 12 s old: nothing answers at http://x")
                .anyMatch(l -> l.startsWith("a "));
        picture.next();
        picture.next();
        assertThat(picture.lines(60_000).getFirst()).contains("in-flight, largest first");
        assertThat(picture.lines(60_000)).element(5).asString().startsWith("b ");
        picture.turn();
        assertThat(picture.lines(60_000)).element(5).asString().startsWith("c ");
        picture.heard(report());
        assertThat(picture.lines(60_000)).noneMatch(l -> l.contains("UNREACHABLE"));
    }
}
