package dev.sluice.simulator.evaluation;

import java.util.Arrays;

/// One row a second of what could be measured, from the start of the run.
@SuppressWarnings("EnumOrdinal") // the array is private, and made of the same enum
public final class Samples {

    /// What a row holds. CPU is summed over the ready replicas.
    public enum Column {
        IN_FLIGHT,
        QUEUED,
        /// Queued in the proxy and in the engines.
        WAITING,
        READY,
        /// Ready and starting.
        ASKED,
        /// CPU of an engine that is at 100 % as soon as one sequence runs.
        CPU_BUSY,
        /// CPU of an engine that follows the share of its slots in use.
        CPU_LOAD,
        ENDED,
        /// Of the ended, failed or refused for want of capacity.
        FAILED
    }

    private final float[][] columns = new float[Column.values().length][4096];
    private int rows;

    public int rows() {
        return rows;
    }

    public double at(Column column, int row) {
        return columns[column.ordinal()][row];
    }

    /// The mean of the rows up to `row`, so many of them; absent rows before the start are left
    /// out.
    double mean(Column column, int row, int seconds) {
        int from = Math.max(0, row - seconds + 1);
        double sum = 0;
        for (int i = from; i <= row; i++) {
            sum += at(column, i);
        }
        return sum / (row - from + 1);
    }

    void begin() {
        if (rows == columns[0].length) {
            for (int i = 0; i < columns.length; i++) {
                columns[i] = Arrays.copyOf(columns[i], 2 * rows);
            }
        }
        rows++;
    }

    void put(Column column, double value) {
        columns[column.ordinal()][rows - 1] = (float) value;
    }
}
