package dev.sluice.cli;

import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.AttributedString;
import org.jline.utils.Display;
import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/// Where a run is watched: a picture redrawn in place where there is a terminal, else a line now
/// and then. News is kept in order and never lost. Any thread; closing restores the terminal.
final class Screen implements AutoCloseable {
    private static final int NEWS_SHOWN = 8;
    private static final long LINE_NANOS = 5_000_000_000L;

    private final Console console;
    private final @Nullable Terminal terminal;
    private final @Nullable Display display;
    private final ArrayDeque<String> news = new ArrayDeque<>();
    private final long startNanos = System.nanoTime();
    private long nextLineNanos = startNanos;

    private Screen(Console console, @Nullable Terminal terminal, @Nullable Display display) {
        this.console = console;
        this.terminal = terminal;
        this.display = display;
    }

    static Screen open(Console console) {
        if (!console.terminal()) {
            return new Screen(console, null, null);
        }
        try {
            Terminal terminal =
                    TerminalBuilder.builder().system(true).dumb(true).nativeSignals(false).build();
            if (terminal.getType().startsWith(Terminal.TYPE_DUMB)) {
                terminal.close();
                return new Screen(console, null, null);
            }
            return new Screen(console, terminal, new Display(terminal, false));
        } catch (IOException e) {
            return new Screen(console, null, null); // plain lines will do
        }
    }

    /// Something happened.
    synchronized void news(String sentence) {
        String line =
                String.format("%5.1f s  %s", (System.nanoTime() - startNanos) / 1e9, sentence);
        if (display == null) {
            console.err().println(line);
            return;
        }
        news.addLast(line);
        if (news.size() > NEWS_SHOWN) {
            news.removeFirst();
        }
    }

    /// @param picture the whole picture, for a terminal
    /// @param line the same in one line
    synchronized void show(List<String> picture, String line) {
        if (display != null && terminal != null) {
            var lines = new ArrayList<>(picture);
            lines.add("");
            lines.addAll(news);
            draw(terminal, display, lines);
        } else if (System.nanoTime() >= nextLineNanos) {
            nextLineNanos = System.nanoTime() + LINE_NANOS;
            news(line);
        }
    }

    /// Leaves the last picture where it is.
    @Override
    public synchronized void close() {
        if (terminal == null) {
            return;
        }
        try {
            terminal.writer().println();
            terminal.flush();
            terminal.close();
        } catch (IOException e) {
            // nothing is left to restore
        }
    }

    private static void draw(Terminal terminal, Display display, List<String> lines) {
        Size size = terminal.getSize();
        int columns = Math.max(20, size.getColumns());
        int rows = Math.max(5, size.getRows() - 1);
        display.resize(Size.of(columns, rows));
        var out = new ArrayList<AttributedString>();
        for (String line : lines.subList(0, Math.min(rows, lines.size()))) {
            out.add(new AttributedString(line.substring(0, Math.min(columns - 1, line.length()))));
        }
        display.update(out, -1);
    }
}
