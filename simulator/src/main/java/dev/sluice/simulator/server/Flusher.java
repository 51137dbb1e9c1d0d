package dev.sluice.simulator.server;

import io.netty.channel.EventLoop;

import java.util.ArrayList;
import java.util.List;

/// Flushes each connection that was written to once, at the end of the turn of the loop: an engine
/// step that feeds a thousand streams costs a thousand system calls, not one for each piece.
public final class Flusher {
    private final EventLoop loop;
    private List<Connection> dirty = new ArrayList<>();
    private boolean scheduled;

    public Flusher(EventLoop loop) {
        this.loop = loop;
    }

    void add(Connection connection) {
        dirty.add(connection);
        if (!scheduled) {
            scheduled = true;
            loop.execute(this::flush);
        }
    }

    private void flush() {
        scheduled = false;
        List<Connection> now = dirty;
        dirty = new ArrayList<>(now.size());
        now.forEach(Connection::flush);
    }
}
