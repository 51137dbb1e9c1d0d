package dev.sluice.simulator.trace;

import dev.sluice.shared.ConfigNode;

import org.jspecify.annotations.Nullable;

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/// Reads a trace: CSV, plain or `.gz`, with a header row. Columns `arrival_offset_ms`,
/// `input_tokens`, `output_tokens`, and where known `client_id` and `block_hash_ids`; others are
/// passed over.
public final class TraceFile {
    private static final String ARRIVAL = "arrival_offset_ms";
    private static final String INPUT = "input_tokens";
    private static final String OUTPUT = "output_tokens";
    private static final String CLIENT = "client_id";
    private static final String BLOCKS = "block_hash_ids";

    private final String name;
    private final List<String> columns;
    private int line = 1;

    private TraceFile(String name, List<String> columns) {
        this.name = name;
        this.columns = columns;
    }

    /// The calls in the order of their arrival.
    ///
    /// @throws TraceException when a line is wrong, naming it
    public static List<TraceCall> read(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new TraceException(file.toString(), 0, "is a folder", "name a CSV file in it");
        }
        try (InputStream raw = new FileInputStream(file.toFile());
                InputStream bytes =
                        file.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw;
                var lines =
                        new BufferedReader(new InputStreamReader(bytes, StandardCharsets.UTF_8))) {
            return read(file.toString(), lines);
        } catch (FileNotFoundException e) {
            throw new TraceException(file.toString(), 0, "there is no such file", "check --trace");
        } catch (ZipException e) {
            throw new TraceException(
                    file.toString(), 0, "is not gzip: " + e.getMessage(), "drop .gz from its name");
        }
    }

    static List<TraceCall> read(String name, BufferedReader lines) throws IOException {
        String header = lines.readLine();
        if (header == null) {
            throw new TraceException(name, 1, "is empty", "begin with a header row");
        }
        var trace = new TraceFile(name, Arrays.asList(header.strip().split(",", -1)));
        trace.checkColumns();
        var calls = new ArrayList<TraceCall>();
        for (String row = lines.readLine(); row != null; row = lines.readLine()) {
            trace.line++;
            if (!row.isBlank()) {
                calls.add(trace.call(row.split(",", -1)));
            }
        }
        if (calls.isEmpty()) {
            throw new TraceException(name, trace.line, "has no calls", "add rows below the header");
        }
        calls.sort(Comparator.comparing(TraceCall::arrival));
        return calls;
    }

    private void checkColumns() throws TraceException {
        Set<String> found = new TreeSet<>(columns);
        for (String column : List.of(ARRIVAL, INPUT, OUTPUT)) {
            if (!found.contains(column)) {
                throw new TraceException(
                        name,
                        1,
                        "the header has no column " + column,
                        ConfigNode.suggest(column, found));
            }
        }
    }

    private TraceCall call(String[] row) throws TraceException {
        if (row.length != columns.size()) {
            throw new TraceException(
                    name,
                    line,
                    "has " + row.length + " fields",
                    "write " + columns.size() + " as the header has");
        }
        double arrivalMillis = number(row, ARRIVAL);
        int input = tokens(row, INPUT);
        int output = tokens(row, OUTPUT);
        return new TraceCall(
                Duration.ofNanos(Math.round(arrivalMillis * 1e6)),
                input,
                output,
                field(row, CLIENT),
                blocks(row));
    }

    private List<Long> blocks(String[] row) throws TraceException {
        String ids = field(row, BLOCKS);
        var out = new ArrayList<Long>();
        if (ids == null || ids.isBlank()) {
            return out;
        }
        for (String id : ids.strip().split(" +")) {
            try {
                out.add(Long.parseLong(id));
            } catch (NumberFormatException e) {
                throw wrong(BLOCKS, id, "write whole numbers with spaces between them");
            }
        }
        return out;
    }

    private int tokens(String[] row, String column) throws TraceException {
        double number = number(row, column);
        if (number > Integer.MAX_VALUE || number != Math.rint(number)) {
            throw wrong(column, Double.toString(number), "write a whole number of tokens");
        }
        // An empty prompt or answer still is one token to an engine.
        return (int) Math.max(1, number);
    }

    private double number(String[] row, String column) throws TraceException {
        String text = String.valueOf(field(row, column)).strip();
        try {
            double number = Double.parseDouble(text);
            if (number >= 0 && number < 1e15) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Told below.
        }
        throw wrong(column, text, "write a number of 0 or more");
    }

    private @Nullable String field(String[] row, String column) {
        int index = columns.indexOf(column);
        return index < 0 ? null : row[index];
    }

    private TraceException wrong(String column, String value, String fix) {
        return new TraceException(name, line, column + " is \"" + value + "\"", fix);
    }
}
