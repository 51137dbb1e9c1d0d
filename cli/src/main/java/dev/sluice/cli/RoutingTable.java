package dev.sluice.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.sluice.simulator.evaluation.RoutingEvaluation.Row;
import dev.sluice.simulator.evaluation.RoutingOutcome;

import java.util.List;
import java.util.Locale;

/// What `evaluate` shows of routing policies.
final class RoutingTable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private RoutingTable() {}

    static List<String> lines(List<Row> rows) {
        var table =
                new Table(
                        "policy",
                        "TTFT mean",
                        "p99 ms",
                        "whole p99 ms",
                        "prefix hits %",
                        "max/mean",
                        "refused");
        for (Row row : rows) {
            table.row(
                    row.name(),
                    whole(row.mean(RoutingOutcome::ttftMeanMs)),
                    whole(row.mean(RoutingOutcome::ttftP99Ms)),
                    whole(row.mean(RoutingOutcome::e2eP99Ms)),
                    String.format(Locale.ROOT, "%.1f", 100 * row.mean(RoutingOutcome::hitRatio)),
                    String.format(Locale.ROOT, "%.3f", row.mean(RoutingOutcome::maxOverMean)),
                    whole(row.mean(RoutingOutcome::refused)));
        }
        return table.lines();
    }

    static ObjectNode json(String trace, List<Row> rows) {
        ObjectNode root = JSON.createObjectNode();
        root.put("trace", trace);
        ArrayNode out = root.putArray("rows");
        for (Row row : rows) {
            out.addObject()
                    .put("name", row.name())
                    .put("ttft_mean_ms", row.mean(RoutingOutcome::ttftMeanMs))
                    .put("ttft_p99_ms", row.mean(RoutingOutcome::ttftP99Ms))
                    .put("e2e_p99_ms", row.mean(RoutingOutcome::e2eP99Ms))
                    .put("prefix_hit_ratio", row.mean(RoutingOutcome::hitRatio))
                    .put("max_over_mean", row.mean(RoutingOutcome::maxOverMean))
                    .put("refused", row.mean(RoutingOutcome::refused));
        }
        return root;
    }

    private static String whole(double value) {
        return String.format(Locale.ROOT, "%.0f", value);
    }
}
