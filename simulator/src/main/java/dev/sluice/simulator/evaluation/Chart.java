package dev.sluice.simulator.evaluation;

import dev.sluice.simulator.evaluation.Evaluation.Report;
import dev.sluice.simulator.evaluation.Samples.Column;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;

/// The two pictures of an evaluation, as SVG text.
public final class Chart {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 420;
    private static final int LEFT = 60;
    private static final int RIGHT = 190;
    private static final int TOP = 40;
    private static final int BOTTOM = 46;
    private static final int STEPS = 360;
    private static final int LINES = 8;
    private static final List<String> COLOURS =
            List.of(
                    "#777777", "#c0392b", "#e67e22", "#8e44ad", "#2980b9", "#b7950b", "#16a085",
                    "#1e8449", "#7dcea0", "#000000");

    private final StringBuilder out = new StringBuilder();
    private final double maxX;
    private final double minY;
    private final double maxY;
    private int legend;

    private Chart(String title, String x, String y, double maxX, double minY, double maxY) {
        this.maxX = maxX;
        this.minY = minY;
        this.maxY = maxY;
        out.append(
                String.format(
                        Locale.ROOT,
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\""
                                + " font-family=\"sans-serif\" font-size=\"12\">%n"
                                + "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>%n",
                        WIDTH,
                        HEIGHT,
                        WIDTH,
                        HEIGHT));
        text(LEFT, 20, "start", title);
        text((WIDTH - RIGHT + LEFT) / 2.0, HEIGHT - 8, "middle", x);
        text(LEFT, TOP - 6, "start", y);
        for (double v : round(minY, maxY)) {
            line(x(0), y(v), x(maxX), y(v));
            text(LEFT - 6, y(v) + 4, "end", number(v));
        }
        for (double v : round(0, maxX)) {
            text(x(v), HEIGHT - BOTTOM + 16, "middle", number(v));
        }
    }

    /// Multiples of 1, 2 or 5 times a power of ten, at most nine of them.
    private static List<Double> round(double from, double to) {
        double step = Math.pow(10, Math.floor(Math.log10((to - from) / LINES)));
        for (double by : new double[] {2, 2.5, 2}) {
            step *= (to - from) / step > LINES ? by : 1;
        }
        var out = new ArrayList<Double>();
        for (long i = (long) Math.ceil(from / step - 1e-9); i * step <= to + 1e-9; i++) {
            out.add(i * step);
        }
        return out;
    }

    /// Attainment against replica-hours: each rule a line through the settings of its knob, its
    /// usual setting a larger dot.
    public static String frontier(String title, Report report) {
        double hours = 0;
        double least = 0.99;
        for (Point p : report.oracles()) {
            hours = Math.max(hours, p.hours());
        }
        for (Point p : report.points()) {
            hours = Math.max(hours, p.hours());
        }
        for (Point p : report.usual()) {
            least = Math.min(least, p.attainment());
        }
        double floor = Math.max(0, Math.floor(least * 50) / 50 - 0.02);
        var chart = new Chart(title, "replica-hours", "good calls, %", hours, 100 * floor, 100);
        int colour = 0;
        for (Point usual : report.usual()) {
            String stroke = COLOURS.get(colour++ % COLOURS.size());
            var points = new ArrayList<double[]>();
            for (Point p : report.of(usual.name())) {
                if (p.attainment() >= floor) {
                    points.add(new double[] {p.hours(), 100 * p.attainment()});
                }
            }
            points.sort((a, b) -> Double.compare(a[0], b[0]));
            chart.path(points, stroke, 1.5);
            points.forEach(p -> chart.dot(p[0], p[1], 2, stroke));
            chart.dot(usual.hours(), 100 * usual.attainment(), 5, stroke);
            chart.key(usual.name(), stroke);
        }
        String black = COLOURS.getLast();
        for (Point p : report.oracles()) {
            chart.dot(p.hours(), 100 * p.attainment(), 5, black);
        }
        if (!report.oracles().isEmpty()) {
            chart.key("oracle", black);
        }
        return chart.end();
    }

    /// What was needed, asked for and ready over the time of one run.
    ///
    /// @param samples of it
    /// @param slots of one replica, to show the work in replicas
    public static String timeline(String title, Samples samples, int slots, double hours) {
        int rows = Math.min(samples.rows(), (int) (hours * 3600));
        int each = Math.max(1, rows / STEPS);
        double most = 1;
        for (int i = 0; i < rows; i++) {
            most = Math.max(most, samples.at(Column.ASKED, i));
        }
        var chart = new Chart(title, "hours", "replicas", rows / 3600.0, 0, Math.ceil(most * 1.1));
        IntToDoubleFunction work =
                i -> (samples.at(Column.IN_FLIGHT, i) + samples.at(Column.QUEUED, i)) / slots;
        chart.series(rows, each, work, "work, in full replicas", COLOURS.get(4));
        chart.series(
                rows,
                each,
                i -> samples.at(Column.WAITING, i) / slots,
                "of it, waiting",
                "#c0392b");
        chart.series(rows, each, i -> samples.at(Column.ASKED, i), "asked for", "#e67e22");
        chart.series(rows, each, i -> samples.at(Column.READY, i), "ready", "#1e8449");
        return chart.end();
    }

    private void series(int rows, int each, IntToDoubleFunction at, String name, String colour) {
        var points = new ArrayList<double[]>();
        for (int i = 0; i + each <= rows; i += each) {
            double sum = 0;
            for (int j = i; j < i + each; j++) {
                sum += at.applyAsDouble(j);
            }
            points.add(new double[] {i / 3600.0, Math.min(maxY, sum / each)});
        }
        path(points, colour, 1.2);
        key(name, colour);
    }

    private void path(List<double[]> points, String colour, double width) {
        var line = new StringBuilder();
        for (double[] p : points) {
            line.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(p[0]), y(p[1])));
        }
        out.append(
                String.format(
                        Locale.ROOT,
                        "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\""
                                + " points=\"%s\"/>%n",
                        colour,
                        width,
                        line.toString().strip()));
    }

    private void dot(double x, double y, int radius, String colour) {
        out.append(
                String.format(
                        Locale.ROOT,
                        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" fill=\"%s\"/>%n",
                        x(x),
                        y(y),
                        radius,
                        colour));
    }

    private void key(String name, String colour) {
        double y = TOP + 8 + 20.0 * legend++;
        out.append(
                String.format(
                        Locale.ROOT,
                        "<rect x=\"%d\" y=\"%.1f\" width=\"14\" height=\"4\" fill=\"%s\"/>%n",
                        WIDTH - RIGHT + 14,
                        y - 6,
                        colour));
        text(WIDTH - RIGHT + 34.0, y, "start", name);
    }

    private void line(double x1, double y1, double x2, double y2) {
        out.append(
                String.format(
                        Locale.ROOT,
                        "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#dddddd\"/>%n",
                        x1,
                        y1,
                        x2,
                        y2));
    }

    private void text(double x, double y, String anchor, String text) {
        String safe = text.replace("&", "&amp;").replace("<", "&lt;");
        out.append(
                String.format(
                        Locale.ROOT,
                        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\""
                                + " fill=\"#333333\">%s</text>%n",
                        x,
                        y,
                        anchor,
                        safe));
    }

    private String end() {
        return out.append("</svg>\n").toString();
    }

    private double x(double value) {
        return LEFT + value / maxX * (WIDTH - LEFT - RIGHT);
    }

    private double y(double value) {
        return HEIGHT - BOTTOM - (value - minY) / (maxY - minY) * (HEIGHT - TOP - BOTTOM);
    }

    private static String number(double value) {
        return BigDecimal.valueOf(value)
                .setScale(2, RoundingMode.HALF_UP)
                .stripTrailingZeros()
                .toPlainString();
    }
}
