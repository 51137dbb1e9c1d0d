package dev.sluice.autoscaler.target;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Asks replicas whether they can serve: one GET each, all at once, a second for the answer. A new
/// connection each time, as a probe should not outlive what it asks.
final class Probes implements AutoCloseable {
    private static final int TIME_OUT_MS = 1_000;

    private final String path;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    Probes(String path) {
        this.path = path;
    }

    /// Whether each answered 200, in the same order.
    List<Boolean> ask(List<URI> urls) throws InterruptedException {
        var asked = new ArrayList<Future<Boolean>>();
        for (URI url : urls) {
            asked.add(threads.submit(() -> ok(url)));
        }
        var answers = new ArrayList<Boolean>();
        for (Future<Boolean> each : asked) {
            try {
                answers.add(each.get());
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause());
            }
        }
        return answers;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }

    private boolean ok(URI url) {
        try {
            var connection = (HttpURLConnection) url.resolve(path).toURL().openConnection();
            connection.setConnectTimeout(TIME_OUT_MS);
            connection.setReadTimeout(TIME_OUT_MS);
            connection.setInstanceFollowRedirects(false);
            connection.setRequestProperty("connection", "close");
            try {
                return connection.getResponseCode() == 200;
            } finally {
                connection.disconnect();
            }
        } catch (IOException e) {
            return false;
        }
    }
}
