package dev.sluice.cli;

import java.util.ArrayList;
import java.util.List;

/// Rows of text under a heading, aligned for a fixed-width font: the first column and those marked
/// with a leading `<` to the left, the others to the right.
final class Table {
    private final boolean[] left;
    private final List<List<String>> rows = new ArrayList<>();

    Table(String... heading) {
        left = new boolean[heading.length];
        var names = new ArrayList<String>();
        for (int i = 0; i < heading.length; i++) {
            left[i] = i == 0 || heading[i].startsWith("<");
            names.add(heading[i].startsWith("<") ? heading[i].substring(1) : heading[i]);
        }
        rows.add(names);
    }

    /// Adds a row of as many cells as the heading has.
    void row(Object... cells) {
        var row = new ArrayList<String>();
        for (Object cell : cells) {
            row.add(String.valueOf(cell));
        }
        rows.add(row);
    }

    List<String> lines() {
        int[] width = new int[left.length];
        for (List<String> row : rows) {
            for (int i = 0; i < width.length; i++) {
                width[i] = Math.max(width[i], row.get(i).length());
            }
        }
        var out = new ArrayList<String>();
        for (List<String> row : rows) {
            var line = new StringBuilder();
            for (int i = 0; i < width.length; i++) {
                String pad = " ".repeat(width[i] - row.get(i).length());
                line.append(i == 0 ? "" : "  ");
                line.append(left[i] ? row.get(i) + pad : pad + row.get(i));
            }
            out.add(line.toString().stripTrailing());
        }
        return out;
    }
}
