package dev.sluice.cli;

import org.jline.terminal.Attributes;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.AttributedString;
import org.jline.utils.Display;
import org.jline.utils.InfoCmp.Capability;
import org.jline.utils.NonBlockingReader;
import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.List;

/// The whole terminal, with its keys, until it is closed; what was there before comes back. One
/// thread.
final class FullScreen implements AutoCloseable {
    /// Instead of a key: nobody can press one any more.
    static final int ENDED = -1;

    private final Terminal terminal;
    private final Attributes before;
    private final Display display;

    /// Null where the terminal cannot be drawn on.
    static @Nullable FullScreen open() {
        try {
            Terminal terminal =
                    TerminalBuilder.builder().system(true).dumb(true).nativeSignals(false).build();
            if (terminal.getType().startsWith(Terminal.TYPE_DUMB)) {
                terminal.close();
                return null;
            }
            return new FullScreen(terminal);
        } catch (IOException e) {
            return null; // plain lines will do
        }
    }

    private FullScreen(Terminal terminal) {
        this.terminal = terminal;
        this.before = terminal.enterRawMode();
        this.display = new Display(terminal, true);
        terminal.puts(Capability.enter_ca_mode);
        terminal.puts(Capability.cursor_invisible);
    }

    /// Draws what has changed, at the size that the terminal has now.
    void show(List<String> lines) {
        Size size = terminal.getSize();
        int columns = Math.max(20, size.getColumns());
        int rows = Math.max(5, size.getRows());
        display.resize(Size.of(columns, rows));
        display.update(
                lines.stream()
                        .limit(rows)
                        .map(
                                l ->
                                        new AttributedString(
                                                l.substring(0, Math.min(columns, l.length()))))
                        .toList(),
                0);
    }

    /// The next key, {@link #ENDED}, or another negative number when none was pressed in this time.
    int key(long millis) {
        try {
            int key = terminal.reader().read(millis);
            return key == NonBlockingReader.EOF ? ENDED : key;
        } catch (IOException e) {
            return ENDED;
        }
    }

    @Override
    public void close() {
        terminal.puts(Capability.cursor_visible);
        terminal.puts(Capability.exit_ca_mode);
        terminal.setAttributes(before);
        terminal.flush();
        try {
            terminal.close();
        } catch (IOException e) {
            // nothing is left to restore
        }
    }
}
