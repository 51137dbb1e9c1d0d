package dev.sluice.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.sluice.shared.ConfigNode;
import dev.sluice.simulator.evaluation.Chart;
import dev.sluice.simulator.evaluation.Contender;
import dev.sluice.simulator.evaluation.Evaluation;
import dev.sluice.simulator.evaluation.Evaluation.Report;
import dev.sluice.simulator.evaluation.FirstMinute;
import dev.sluice.simulator.evaluation.Outcome;
import dev.sluice.simulator.evaluation.Point;
import dev.sluice.simulator.evaluation.RoutingEvaluation;
import dev.sluice.simulator.evaluation.Samples;
import dev.sluice.simulator.evaluation.Scenario;
import dev.sluice.simulator.evaluation.Scenario.ColdStart;
import dev.sluice.simulator.replica.ReplicaModel;
import dev.sluice.simulator.trace.TraceCall;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.concurrent.Callable;

/// `evaluate`: scaling rules or routing policies on a trace, side by side, in virtual time.
@Command(
        name = "evaluate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        header = "Compares scaling rules, or routing policies, on a trace, offline.",
        description = {
            "",
            "Runs the trace in virtual time against modelled replicas: what clusters run today,"
                    + " the",
            "decision of Sluice's autoscaler as it ships, and a clairvoyant schedule that knows"
                    + " the",
            "future (oracle). A call is good when its first token comes within 2 s and twice its",
            "lone prefill, and its tokens within three times those of a full batch.",
            "With --policy round_robin, weighted, least_loaded or latency: the proxy's own"
                    + " dispatcher and",
            "policies over a fleet of --replicas that stays as it is.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sluice evaluate --trace conv.csv.gz",
            "  sluice evaluate --trace day.csv.gz --profile l4 --policy constant,kpa,sluice --json"
                    + " out.json --plot frontier.svg",
            "  sluice evaluate --trace conv.csv.gz --policy round_robin,least_loaded --slow 3"
        })
final class EvaluateCommand implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Console console;

    @Mixin private final TraceOption trace = new TraceOption();

    @Option(
            names = "--policy",
            split = ",",
            paramLabel = "RULE",
            description = "Only these rules (default: all that scale): ${COMPLETION-CANDIDATES}.",
            completionCandidates = Rules.class)
    private List<String> policies = List.of();

    @Option(
            names = "--profile",
            paramLabel = "NAME",
            defaultValue = "mid",
            description = "Modelled replica: l4, mid or h100x8-70b (default mid).")
    private String profile = "";

    @Option(
            names = "--min",
            paramLabel = "N",
            defaultValue = "2",
            description = "Fewest replicas; 0 allows for none (default 2).")
    private int min;

    @Option(
            names = "--max",
            paramLabel = "N",
            defaultValue = "10",
            description = "Most replicas (default 10).")
    private int max;

    @Option(
            names = "--begin",
            paramLabel = "N",
            description =
                    "Replicas that are ready when the trace begins, the same for every rule that"
                        + " scales: a number, or first-minute: what the trace's own first minute"
                        + " needs and one to spare, as for an hour cut out of a service that ran"
                        + " before (default: --min).")
    private @Nullable String begin;

    @Option(
            names = "--cold-start",
            paramLabel = "TIME",
            description = "Every start takes this long (default: 30 to 180 s, half below 75 s).")
    private @Nullable Duration coldStart;

    @Option(
            names = "--replicas",
            paramLabel = "N",
            defaultValue = "4",
            description = "Routing only: so many replicas (default 4).")
    private int replicas;

    @Option(
            names = "--slow",
            paramLabel = "X",
            defaultValue = "1",
            description = "Routing only: one of them is so many times slower (default 1).")
    private double slow;

    @Option(
            names = "--usual",
            description =
                    "Each rule at its usual setting only, without the clairvoyant: quick on long"
                            + " traces.")
    private boolean usualOnly;

    @Option(
            names = "--seeds",
            paramLabel = "N",
            defaultValue = "5",
            description = "Runs of each setting (default 5).")
    private int seeds;

    @Option(
            names = "--json",
            paramLabel = "OUT",
            description = "Also writes the figures to this file; - for standard output only.")
    private @Nullable String json;

    @Option(
            names = "--plot",
            paramLabel = "OUT",
            description = "Draws good calls against replica-hours to this file, as SVG.")
    private @Nullable String plot;

    @Option(
            names = "--timeline",
            paramLabel = "OUT",
            description = "Draws work and replicas over time under sluice to this file, as SVG.")
    private @Nullable String timeline;

    /// The names that --policy takes.
    static final class Rules extends ArrayList<String> {
        private static final long serialVersionUID = 1L;

        Rules() {
            super(Contender.NAMES);
            addAll(RoutingEvaluation.NAMES);
        }
    }

    EvaluateCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        Scenario cold = scenario();
        if (seeds < 1) {
            throw CommandFailed.badInput("--seeds " + seeds + ": write 1 or more");
        }
        if (policies.stream().anyMatch(RoutingEvaluation.NAMES::contains)) {
            routing(cold.model());
            return 0;
        }
        List<Contender> contenders = contenders(cold);
        List<TraceCall> calls = trace.read();
        Scenario scenario = beginning(cold, calls);
        var evaluation = new Evaluation(calls, scenario, seeds, this::progress);
        Report report = usualOnly ? evaluation.usual(contenders) : evaluation.run(contenders);
        write(report, scenario);
        String name = trace.name();
        if (plot != null) {
            Console.file("--plot", plot, Chart.frontier(name + ", " + profile, report));
        }
        if (timeline != null) {
            Samples samples = evaluation.samples(Contender.of("sluice", scenario));
            double hours = report.span().toMillis() / 3.6e6;
            String title = name + ", " + profile + ", sluice";
            Console.file(
                    "--timeline",
                    timeline,
                    Chart.timeline(title, samples, scenario.model().slots(), hours));
        }
        return 0;
    }

    private void routing(ReplicaModel model) {
        for (String name : policies) {
            if (!RoutingEvaluation.NAMES.contains(name)) {
                throw CommandFailed.badInput(
                        "--policy " + name + ": scales; write it in a run of its own");
            }
        }
        if (replicas < 1 || replicas > 250 || !(slow > 0)) {
            throw CommandFailed.badInput(
                    "--replicas "
                            + replicas
                            + " --slow "
                            + slow
                            + ": write 1 to 250 replicas, and a factor above 0");
        }
        var evaluation = new RoutingEvaluation(trace.read(), model, replicas, slow, seeds);
        List<RoutingEvaluation.Row> rows = policies.stream().map(evaluation::run).toList();
        String text = RoutingTable.json(trace.name(), rows).toPrettyString();
        console.results(RoutingTable.lines(rows), text, json);
    }

    private Scenario scenario() {
        ReplicaModel model = ReplicaModel.PROFILES.get(profile);
        if (model == null) {
            throw CommandFailed.badInput(
                    "--profile "
                            + profile
                            + ": no such profile; "
                            + ConfigNode.suggest(
                                    profile, new TreeSet<>(ReplicaModel.PROFILES.keySet())));
        }
        if (min < 0 || max < 1 || min > max) {
            throw CommandFailed.badInput(
                    "--min " + min + " --max " + max + ": write 0 or more, and no more than max");
        }
        Scenario scenario = Scenario.of(model, min, max);
        return coldStart == null ? scenario : scenario.withColdStart(ColdStart.of(coldStart));
    }

    private Scenario beginning(Scenario cold, List<TraceCall> calls) {
        if (begin == null) {
            return cold;
        }
        if (begin.equals("first-minute")) {
            return cold.beginningWith(FirstMinute.replicas(calls, cold));
        }
        if (!begin.matches("\\d{1,6}")
                || Integer.parseInt(begin) < min
                || Integer.parseInt(begin) > max) {
            throw CommandFailed.badInput(
                    "--begin " + begin + ": write a number from min to max, or first-minute");
        }
        return cold.beginningWith(Integer.parseInt(begin));
    }

    private List<Contender> contenders(Scenario scenario) {
        List<String> names = policies.isEmpty() ? Contender.NAMES : policies;
        for (String name : names) {
            if (!Contender.NAMES.contains(name)) {
                throw CommandFailed.badInput(
                        "--policy "
                                + name
                                + ": no such rule; "
                                + ConfigNode.suggest(name, new TreeSet<>(Contender.NAMES)));
            }
        }
        return names.stream().map(name -> Contender.of(name, scenario)).toList();
    }

    private void progress(int runs) {
        if (console.terminal()) {
            console.err().print("\r" + runs + " runs");
            console.err().flush();
        }
    }

    private void write(Report report, Scenario scenario) {
        if (console.terminal() && !"-".equals(json)) {
            console.err().print("\r");
        }
        console.results(lines(report, scenario), toJson(report, scenario).toPrettyString(), json);
    }

    private List<String> lines(Report report, Scenario scenario) {
        var table =
                new Table(
                        "rule",
                        "setting",
                        "good %",
                        "<min-max",
                        "later %",
                        "replica-h",
                        "<min-max",
                        "TTFT p50",
                        "p99 ms",
                        "reversals",
                        "cut",
                        "h at 99 %");
        for (Point p : report.usual()) {
            table.row(cells(p, report.hoursAt(p.name(), Evaluation.GOAL)));
        }
        if (report.oracle() != null && report.oracleAtGoal() != null) {
            table.row(cells(report.oracle(), report.oracleAtGoal().hours()));
        }
        var out = new ArrayList<>(table.lines());
        out.add("");
        out.add(
                String.format(
                        Locale.ROOT,
                        "work alone: %.1f replica-hours of full batches; %d seeds, %.1f h; begins"
                                + " with %d ready",
                        report.workBoundHours(),
                        seeds,
                        report.span().toSeconds() / 3600.0,
                        scenario.begin()));
        return out;
    }

    private static Object[] cells(Point p, double hoursAtGoal) {
        return new Object[] {
            p.name(),
            show("%.2f", p.setting()),
            show("%.2f", 100 * p.attainment()),
            show("%.2f-%.2f", 100 * p.min(Outcome::attainment), 100 * p.max(Outcome::attainment)),
            show("%.2f", 100 * p.mean(Outcome::attainmentLater)),
            show("%.2f", p.hours()),
            show("%.2f-%.2f", p.min(Outcome::replicaHours), p.max(Outcome::replicaHours)),
            show("%.0f", p.mean(Outcome::ttftP50Ms)),
            show("%.0f", p.mean(Outcome::ttftP99Ms)),
            show("%.1f", p.mean(Outcome::reversals)),
            show("%.1f", p.mean(Outcome::cutStreams)),
            Double.isNaN(hoursAtGoal) ? "-" : show("%.2f", hoursAtGoal)
        };
    }

    @SuppressWarnings("AnnotateFormatMethod")
    private static String show(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    private ObjectNode toJson(Report report, Scenario scenario) {
        ObjectNode root = JSON.createObjectNode();
        root.put("trace", trace.name());
        root.put("profile", profile);
        root.put("min", min);
        root.put("max", max);
        root.put("begin", scenario.begin());
        root.put("seeds", seeds);
        root.put("hours", report.span().toMillis() / 3.6e6);
        root.put("work_bound_replica_hours", report.workBoundHours());
        ArrayNode rows = root.putArray("rows");
        for (Point p : report.usual()) {
            double hours = report.hoursAt(p.name(), Evaluation.GOAL);
            row(rows.addObject(), p)
                    .put("replica_hours_at_99", Double.isNaN(hours) ? null : (Double) hours);
        }
        if (report.oracle() != null && report.oracleAtGoal() != null) {
            row(rows.addObject(), report.oracle())
                    .put("replica_hours_at_99", report.oracleAtGoal().hours());
        }
        ArrayNode frontier = root.putArray("frontier");
        report.points().forEach(p -> row(frontier.addObject(), p));
        return root;
    }

    private static ObjectNode row(ObjectNode row, Point p) {
        row.put("name", p.name());
        row.put("setting", p.setting());
        row.put("slo_attainment", p.attainment());
        row.put("replica_hours", p.hours());
        row.put("ttft_p50_ms", p.mean(Outcome::ttftP50Ms));
        row.put("ttft_p99_ms", p.mean(Outcome::ttftP99Ms));
        row.put("reversals", p.mean(Outcome::reversals));
        row.put("cut_streams", p.mean(Outcome::cutStreams));
        row.put("slo_attainment_min", p.min(Outcome::attainment));
        row.put("slo_attainment_max", p.max(Outcome::attainment));
        row.put("slo_attainment_after_600s", p.mean(Outcome::attainmentLater));
        row.put("replica_hours_min", p.min(Outcome::replicaHours));
        row.put("replica_hours_max", p.max(Outcome::replicaHours));
        row.put("replica_hours_after_600s", p.mean(Outcome::replicaHoursLater));
        row.put("saturated", p.mean(Outcome::saturated));
        row.put("held", p.mean(Outcome::held));
        return row.put("held_lost", p.mean(Outcome::heldLost));
    }
}
