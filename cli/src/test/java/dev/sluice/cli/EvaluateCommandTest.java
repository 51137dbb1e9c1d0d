package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

class EvaluateCommandTest {
    @TempDir Path folder;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void writesARowForEachRuleAndOneForTheOracle() throws IOException {
        Path json = folder.resolve("out.json");
        Path frontier = folder.resolve("frontier.svg");
        Path timeline = folder.resolve("timeline.svg");
        int code =
                run(
                        "--trace",
                        trace().toString(),
                        "--policy",
                        "constant,kpa,sluice",
                        "--seeds",
                        "2",
                        "--min",
                        "1",
                        "--max",
                        "3",
                        "--json",
                        json.toString(),
                        "--plot",
                        frontier.toString(),
                        "--timeline",
                        timeline.toString());
        assertThat(code).as(err.toString()).isZero();
        JsonNode root = new ObjectMapper().readTree(json.toFile());
        assertThat(root.get("trace").asText()).isEqualTo("trace.csv");
        assertThat(root.get("rows").findValuesAsText("name"))
                .containsExactly("constant", "kpa", "sluice", "oracle");
        for (JsonNode row : root.get("rows")) {
            assertThat(row.get("slo_attainment").asDouble()).isBetween(0.0, 1.0);
            assertThat(row.get("replica_hours").asDouble()).isPositive();
            assertThat(row.get("ttft_p99_ms").asDouble())
                    .isGreaterThanOrEqualTo(row.get("ttft_p50_ms").asDouble());
            assertThat(row.get("reversals").isNumber()).isTrue();
            assertThat(row.get("cut_streams").isNumber()).isTrue();
        }
        assertThat(out.toString()).contains("replica-h", "oracle", "2 seeds");
        String svg = Files.readString(frontier);
        assertThat(svg).startsWith("<svg").contains("sluice", "</svg>");
        assertThat(lines(svg)).as("evenly spaced, as they are drawn").hasSize(1);
        assertThat(Files.readString(timeline)).startsWith("<svg").contains("ready", "</svg>");
    }

    @Test
    void comparesRoutingPolicies() throws IOException {
        Path json = folder.resolve("out.json");
        String[] all = {"--trace", trace().toString(), "--policy", "round_robin,least_loaded"};
        int code =
                run(
                        all[0],
                        all[1],
                        all[2],
                        all[3],
                        "--seeds",
                        "1",
                        "--replicas",
                        "3",
                        "--slow",
                        "20",
                        "--json",
                        json.toString());
        assertThat(code).as(err.toString()).isZero();
        JsonNode rows = new ObjectMapper().readTree(json.toFile()).get("rows");
        assertThat(rows.findValuesAsText("name")).containsExactly("round_robin", "least_loaded");
        JsonNode turns = rows.get(0);
        JsonNode loads = rows.get(1);
        assertThat(turns.get("max_over_mean").asDouble()).isEqualTo(1.0);
        assertThat(loads.get("max_over_mean").asDouble()).isGreaterThan(1.1);
        assertThat(loads.get("ttft_mean_ms").asDouble())
                .isLessThan(turns.get("ttft_mean_ms").asDouble());
        assertThat(loads.get("e2e_p99_ms").isNumber()).isTrue();
        assertThat(loads.get("ttft_p99_ms").isNumber()).isTrue();
        assertThat(loads.get("prefix_hit_ratio").asDouble()).isZero();
        assertThat(run(all[0], all[1], "--policy", "kpa,latency")).isEqualTo(2);
        assertThat(err.toString()).contains("--policy kpa: scales");
    }

    @Test
    void atTheUsualSettingsThereIsNoOracle() throws IOException {
        Path json = folder.resolve("out.json");
        String trace = trace().toString();
        int code =
                run(
                        "--trace",
                        trace,
                        "--policy",
                        "kpa,sluice",
                        "--seeds",
                        "1",
                        "--usual",
                        "--json",
                        json.toString());
        assertThat(code).as(err.toString()).isZero();
        JsonNode root = new ObjectMapper().readTree(json.toFile());
        assertThat(root.get("rows").findValuesAsText("name")).containsExactly("kpa", "sluice");
        assertThat(root.get("frontier")).hasSize(2);
    }

    @Test
    void beginsWithAsManyAsItIsTold() throws IOException {
        String trace = trace().toString();
        Path json = folder.resolve("out.json");
        String[] rest = {
            "--policy", "sluice", "--seeds", "1", "--usual", "--json", json.toString()
        };
        for (String[] begin : new String[][] {{"4", "4"}, {"first-minute", "2"}}) {
            var args =
                    new ArrayList<>(List.of("--trace", trace, "--min", "1", "--begin", begin[0]));
            args.addAll(List.of(rest));
            assertThat(run(args.toArray(String[]::new))).as(err.toString()).isZero();
            assertThat(new ObjectMapper().readTree(json.toFile()).get("begin").asText())
                    .isEqualTo(begin[1]);
            assertThat(out.toString()).contains("begins with " + begin[1] + " ready");
        }
        assertThat(run("--trace", trace, "--begin", "11")).isEqualTo(2);
        assertThat(run("--trace", trace, "--begin", "some")).isEqualTo(2);
        assertThat(err.toString())
                .contains("--begin 11: write a number from min to max, or first-minute")
                .contains("--begin some: write");
    }

    @Test
    void refusesWhatMakesNoSense() throws IOException {
        String trace = trace().toString();
        assertThat(run("--trace", trace, "--policy", "slice")).isEqualTo(2);
        assertThat(err.toString()).contains("--policy slice: no such rule; did you mean sluice?");
        assertThat(run("--trace", trace, "--profile", "mit")).isEqualTo(2);
        assertThat(err.toString()).contains("--profile mit: no such profile; did you mean mid?");
        assertThat(run("--trace", trace, "--min", "5", "--max", "4")).isEqualTo(2);
        assertThat(err.toString()).contains("--min 5 --max 4");
        assertThat(run("--trace", trace, "--seeds", "0")).isEqualTo(2);
        assertThat(err.toString()).contains("--seeds 0: write 1 or more");
        assertThat(run("--trace", folder.resolve("none.csv").toString())).isEqualTo(2);
        assertThat(err.toString()).contains("there is no such file");
    }

    private int run(String... args) {
        var console = new Console(new PrintWriter(out, true), new PrintWriter(err, true), false);
        String[] all = new String[args.length + 1];
        all[0] = "evaluate";
        System.arraycopy(args, 0, all, 1, args.length);
        return Main.run(console, all);
    }

    private Path trace() throws IOException {
        var text = new StringBuilder("arrival_offset_ms,input_tokens,output_tokens\n");
        for (int i = 0; i < 600; i++) {
            text.append(i * 1500 + 7).append(",500,80\n");
        }
        return Files.writeString(folder.resolve("trace.csv"), text);
    }

    /// The distances between the numbers at the left.
    private static Set<BigDecimal> lines(String svg) {
        List<BigDecimal> numbers =
                Pattern.compile("\"end\" fill=\"#333333\">([0-9.]+)<")
                        .matcher(svg)
                        .results()
                        .map(m -> new BigDecimal(m.group(1)))
                        .toList();
        var out = new HashSet<BigDecimal>();
        for (int i = 1; i < numbers.size(); i++) {
            out.add(numbers.get(i).subtract(numbers.get(i - 1)).stripTrailingZeros());
        }
        return out;
    }
}
