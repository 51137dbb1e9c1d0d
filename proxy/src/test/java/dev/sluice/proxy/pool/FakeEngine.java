package dev.sluice.proxy.pool;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/// A few lines of HTTP on a real socket: answers the paths it was told, 404 on others, one request
/// for each connection.
public final class FakeEngine implements AutoCloseable {
    private final ServerSocket server;
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();

    private record Answer(int status, String body) {}

    public FakeEngine() throws IOException {
        this(0);
    }

    public FakeEngine(int port) throws IOException {
        server = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
        Thread.startVirtualThread(this::accept);
    }

    public FakeEngine on(String path, int status, String body) {
        answers.put(path, new Answer(status, body));
        return this;
    }

    public EndpointUrl url() {
        return EndpointUrl.parse("http://127.0.0.1:" + server.getLocalPort());
    }

    public List<String> asked() {
        return asked;
    }

    @Override
    public void close() throws IOException {
        server.close();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                Thread.startVirtualThread(() -> answer(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void answer(Socket socket) {
        try (socket) {
            var in =
                    new BufferedReader(
                            new InputStreamReader(
                                    socket.getInputStream(), StandardCharsets.ISO_8859_1));
            String first = in.readLine();
            if (first == null) {
                return;
            }
            for (String line = in.readLine(); line != null && !line.isEmpty(); ) {
                line = in.readLine();
            }
            String path = first.split(" ")[1];
            asked.add(path);
            Answer answer = answers.getOrDefault(path, new Answer(404, "{}"));
            byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
            String head =
                    "HTTP/1.1 %d X\r\nlocation: /elsewhere\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
                            .formatted(answer.status(), body.length);
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().write(body);
        } catch (IOException e) {
            // The prober left; nothing to tell it.
            return;
        }
    }
}
