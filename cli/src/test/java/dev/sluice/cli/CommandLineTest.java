package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

class CommandLineTest {
    @TempDir Path folder;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... args) {
        var console = new Console(new PrintWriter(out, true), new PrintWriter(err, true), false);
        return Main.run(console, args);
    }

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("sluice.yaml"), text);
    }

    @Test
    void showsTheCommandsWhenGivenNone() {
        assertThat(run()).isZero();
        assertThat(out.toString()).contains("Commands:", "proxy", "check", "endpoints");
    }

    @Test
    void everyCommandHasHelpWithExamples() {
        for (String command : Main.commandLine(Console.ofProcess()).getSubcommands().keySet()) {
            assertThat(run(command, "--help")).as(command).isZero();
        }
        assertThat(out.toString()).contains("Example");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void suggestsTheFlagThatWasMeant() {
        assertThat(run("proxy", "--polcy", "latency")).isEqualTo(2);
        assertThat(err.toString())
                .contains("unknown flag --polcy (did you mean --policy?)", "sluice proxy --help")
                .doesNotContain("\tat ");
    }

    @Test
    void suggestsTheCommandThatWasMeant() {
        assertThat(run("chek")).isEqualTo(2);
        assertThat(err.toString()).contains("unknown word chek (did you mean check?)");
    }

    @Test
    void namesTheFlagWhoseValueIsWrong() {
        assertThat(run("proxy", "--endpoint", "10.0.0.1:8000")).isEqualTo(2);
        assertThat(err.toString())
                .contains("--endpoint: \"10.0.0.1:8000\" ", "http://10.0.0.1:8000");
        assertThat(run("proxy", "--policy", "least")).isEqualTo(2);
        assertThat(err.toString()).contains("--policy: \"least\" is not a policy", "least_loaded");
        assertThat(run("simulate", "--port", "0", "--ttft", "200")).isEqualTo(2);
        assertThat(err.toString()).contains("--ttft: \"200\" is not a time", "500ms");
        assertThat(run("simulate", "--port", "0", "--fail", "eror")).isEqualTo(2);
        assertThat(err.toString()).contains("--fail eror: no such fault; did you mean error?");
    }

    @Test
    void proxyNeedsToBeToldItsEndpointsOnce() {
        assertThat(run("proxy")).isEqualTo(2);
        assertThat(err.toString()).contains("--endpoint URL or --config FILE");
        String url = "http://10.0.0.1:8000";
        assertThat(run("proxy", "--endpoint", url, "--endpoint", url + "/v1")).isEqualTo(2);
        assertThat(err.toString()).contains("is given twice");
    }

    @Test
    void checkPassesAGoodFile() throws IOException {
        Path good =
                file(
                        "pools: [{name: a, endpoints: [{url: http://10.0.0.1:1}, {url:"
                                + " http://b:2}]}]");
        assertThat(run("check", "--config", good.toString())).isZero();
        assertThat(out.toString()).contains("good (proxy, 1 pool, 2 endpoints)");
    }

    @Test
    void checkTellsEveryProblemWithLineAndFix() throws IOException {
        Path bad =
                file(
                        """
                        listen: 8080x
                        pools:
                          - name: a
                            polcy: latency
                            endpoints: [{url: "http://h:1"}, {url: "http://h:1"}]
                        """);
        assertThat(run("check", "--config", bad.toString())).isEqualTo(2);
        assertThat(err.toString())
                .contains(
                        "3 problems",
                        "line 1: listen",
                        "line 4: pools[0].polcy: unknown key (did you mean policy?)",
                        "h:1 is already endpoints[0]");
        assertThat(run("check", "--json", "--config", bad.toString())).isEqualTo(2);
        assertThat(out.toString()).contains("\"path\":\"pools[0].polcy\"", "\"line\":4");
    }

    @Test
    void checkKnowsAnAutoscalersFile() throws IOException {
        Path bad = file("scalers:\n  - {pool: a, min: 3, max: 2, target: {process: {}}}\n");
        assertThat(run("check", "--config", bad.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("3 is above max 2", "names no proxy");
    }

    @Test
    void checkKnowsAnAutoscalersFileThatHasOnlyResources() throws IOException {
        Path good = file("kubernetes: {namespace: ml}\n");
        assertThat(run("check", "--config", good.toString())).as(err.toString()).isZero();
        assertThat(out.toString())
                .contains("good (autoscaler, 0 scalers and InferenceScaler resources)");
        Path proxy =
                file(
                        """
                        pools:
                          - name: a
                            kubernetes: {namespace: ml, service: qwen, port: http}
                        """);
        assertThat(run("check", "--config", proxy.toString())).as(err.toString()).isZero();
        assertThat(out.toString()).contains("good (proxy, 1 pool");
    }

    @Test
    void replayNamesTheLineOfTheTraceThatIsWrong() throws IOException {
        Path trace = file("arrival_offset_ms,input_tokens,output_tokens\n0,5,6\n1,x,6\n");
        String[] args = {"replay", "--trace", trace.toString(), "--target", "http://127.0.0.1:1"};
        assertThat(run(args)).isEqualTo(2);
        assertThat(err.toString()).contains("line 3: input_tokens is \"x\"");
    }

    @Test
    void replaySaysThatTheTargetDoesNotAnswer() throws IOException {
        Path trace = file("arrival_offset_ms,input_tokens,output_tokens\n0,5,6\n");
        String[] args = {"replay", "--trace", trace.toString(), "--target", "http://127.0.0.1:1"};
        assertThat(run(args)).isEqualTo(1);
        assertThat(err.toString()).contains("--target http://127.0.0.1:1");
    }

    @Test
    void checkSaysThatAFileIsMissing() {
        assertThat(run("check", "--config", "/nowhere.yaml")).isEqualTo(2);
        assertThat(err.toString()).contains("there is no such file");
    }

    @Test
    void checkSaysThatAFolderIsNoFile() {
        assertThat(run("check", "--config", folder.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("is a folder").doesNotContain("Exception");
    }

    @Test
    void checkTellsOfAPoolThatWaitsForEndpoints() throws IOException {
        Path waits = file("pools: [{name: a}]");
        assertThat(run("check", "--config", waits.toString())).isZero();
        assertThat(err.toString()).contains("pool a names no endpoint", "an autoscaler registers");
        assertThat(run("check", "--json", "--config", waits.toString())).isZero();
        assertThat(out.toString()).contains("\"notes\":[\"pool a names");
        err.getBuffer().setLength(0);
        Path looks = file("pools: [{name: a, dns: {name: vllm, port: 8000}}]");
        assertThat(run("check", "--config", looks.toString())).isZero();
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void saysWhichPortIsTakenAndHowToChooseAnother() throws IOException {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String at = "127.0.0.1:" + taken.getLocalPort();
            String free = "127.0.0.1:0";
            String[] data = {"--listen", at, "--admin", free};
            String[] admin = {"--listen", free, "--admin", at};
            assertThat(serve(data)).isEqualTo(1);
            assertThat(err.toString()).contains("listen on " + at, "listen: or --listen");
            assertThat(serve(admin)).isEqualTo(1);
            assertThat(err.toString()).contains("admin port at " + at, "admin:, or --admin");
            assertThat(err.toString()).doesNotContain("Exception", "\tat ");
        }
    }

    private int serve(String... ports) {
        String[] engine = {"proxy", "--endpoint", "http://127.0.0.1:1"};
        return run(Stream.of(engine, ports).flatMap(Stream::of).toArray(String[]::new));
    }

    @Test
    void saysWhenNoProxyAnswers() {
        assertThat(run("endpoints", "list", "--admin", "127.0.0.1:1")).isEqualTo(1);
        assertThat(err.toString()).contains("nothing answers at http://127.0.0.1:1");
        assertThat(run("endpoints", "list", "--admin", "here")).isEqualTo(2);
        assertThat(err.toString()).contains("--admin: \"here\" is not HOST:PORT");
    }

    @Test
    void alignsTables() {
        var table = new Table("name", "<why", "count");
        table.row("a", "longest", 5);
        table.row("bcdef", "x", 1234);
        assertThat(table.lines())
                .containsExactly(
                        "name   why      count", "a      longest      5", "bcdef  x         1234");
    }
}
