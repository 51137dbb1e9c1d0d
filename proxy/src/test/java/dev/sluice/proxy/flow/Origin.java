package dev.sluice.proxy.flow;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

import javax.net.ServerSocketFactory;

/// An engine made of a server socket: answers probes by itself, and each call with the next script,
/// the last one again and again. What it saw is kept.
final class Origin implements AutoCloseable {
    static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    /// What to do with one call. It may close the connection; otherwise the next call is awaited.
    interface Script {
        void run(Conversation call) throws IOException;
    }

    private final String scheme;
    private final ServerSocket server;
    private final Thread accepting;
    private final Queue<Script> scripts = new ConcurrentLinkedQueue<>();
    private volatile Script last = answering(OK);
    private final List<Conversation> calls = new CopyOnWriteArrayList<>();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger ended = new AtomicInteger();
    private volatile boolean healthy = true;

    Origin() throws IOException {
        this("http", ServerSocketFactory.getDefault());
    }

    /// @param scheme in its URL
    Origin(String scheme, ServerSocketFactory sockets) throws IOException {
        this.scheme = scheme;
        server = sockets.createServerSocket(0, 100, InetAddress.ofLiteral("127.0.0.1"));
        accepting = Thread.ofVirtual().start(this::accept);
    }

    /// Adds scripts for the calls to come.
    Origin on(Script... next) {
        for (Script script : next) {
            scripts.add(script);
        }
        return this;
    }

    Origin on(String answer) {
        return on(answering(answer));
    }

    /// Reads the request, then sends this.
    static Script answering(String answer) {
        return call -> {
            call.body();
            call.send(answer);
        };
    }

    String url() {
        return scheme + "://127.0.0.1:" + server.getLocalPort();
    }

    /// Calls seen so far, probes not among them.
    List<Conversation> calls() {
        return calls;
    }

    /// Connections that carried a call.
    int connections() {
        return connections.get();
    }

    /// Connections open now that carried a call.
    int open() {
        return connections.get() - ended.get();
    }

    /// Refuses connections from now on. Returns once the port refuses: the kernel accepts for as
    /// long as the thread is in its call.
    void stopListening() throws IOException {
        server.close();
        try {
            accepting.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() throws IOException {
        healthy = false;
        server.close();
        for (Socket socket : open) {
            socket.close();
        }
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                open.add(socket);
                Thread.ofVirtual().start(() -> serve(socket));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void serve(Socket socket) {
        boolean counted = false;
        try (socket) {
            socket.setTcpNoDelay(true);
            var in = new BufferedInputStream(socket.getInputStream(), 64 * 1024);
            while (true) {
                String head = head(in);
                if (head == null) {
                    return;
                }
                var call = new Conversation(socket, in, head);
                if (call.header("x-request-id") == null) {
                    probe(call);
                    continue;
                }
                if (!counted) {
                    counted = true;
                    connections.incrementAndGet();
                }
                calls.add(call);
                Script next = scripts.poll();
                if (next != null) {
                    last = next;
                }
                last.run(call);
                if (socket.isClosed()) {
                    return;
                }
                call.body();
            }
        } catch (IOException e) {
            // the proxy closed it
        } finally {
            open.remove(socket);
            if (counted) {
                ended.incrementAndGet();
            }
        }
    }

    private void probe(Conversation call) throws IOException {
        String path = call.head.split(" ", 3)[1];
        String body =
                switch (path) {
                    case "/health" -> "";
                    case "/v1/models" -> "{\"object\":\"list\",\"data\":[{\"id\":\"m\"}]}";
                    default -> null;
                };
        String status = !healthy ? "503 Sick" : body == null ? "404 Not Found" : "200 OK";
        String text = body == null ? "" : body;
        call.send(
                "HTTP/1.1 "
                        + status
                        + "\r\nContent-Type: application/json\r\nContent-Length: "
                        + text.length()
                        + "\r\n\r\n"
                        + text);
    }

    /// Null at the connection's end.
    private static String head(InputStream in) throws IOException {
        var out = new ByteArrayOutputStream();
        int state = 0;
        while (state < 4) {
            int c = in.read();
            if (c < 0) {
                return null;
            }
            out.write(c);
            state = c == (state % 2 == 0 ? '\r' : '\n') ? state + 1 : c == '\r' ? 1 : 0;
        }
        return out.toString(StandardCharsets.ISO_8859_1);
    }

    /// One call as the origin sees it.
    static final class Conversation {
        final String head;
        private final Socket socket;
        private final InputStream in;
        private byte[] body;

        Conversation(Socket socket, InputStream in, String head) {
            this.socket = socket;
            this.in = in;
            this.head = head;
        }

        /// The first value of this field, or null.
        String header(String name) {
            for (String line : head.split("\r\n")) {
                if (line.toLowerCase(Locale.ROOT).startsWith(name.toLowerCase(Locale.ROOT) + ":")) {
                    return line.substring(name.length() + 1).strip();
                }
            }
            return null;
        }

        /// The request's content, read on first use.
        String body() throws IOException {
            if (body == null) {
                String length = header("content-length");
                if (length != null) {
                    body = in.readNBytes(Integer.parseInt(length));
                } else if ("chunked".equals(header("transfer-encoding"))) {
                    body = chunks();
                } else {
                    body = new byte[0];
                }
            }
            return new String(body, StandardCharsets.UTF_8);
        }

        private byte[] chunks() throws IOException {
            var out = new ByteArrayOutputStream();
            while (true) {
                int size = Integer.parseInt(line(), 16);
                out.write(in.readNBytes(size));
                String end = line();
                if (!end.isEmpty()) {
                    throw new IOException("chunk not ended: " + end);
                }
                if (size == 0) {
                    return out.toByteArray();
                }
            }
        }

        private String line() throws IOException {
            var out = new StringBuilder();
            for (int c = in.read(); c != '\n'; c = in.read()) {
                if (c < 0) {
                    throw new IOException("end inside a line");
                }
                if (c != '\r') {
                    out.append((char) c);
                }
            }
            return out.toString();
        }

        /// Agrees to the WebSocket that is asked for.
        void upgrade(String... fields) throws IOException {
            send(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                            + "Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n"
                            + String.join("", fields)
                            + "\r\n");
        }

        /// Reads one WebSocket frame.
        String frame() throws IOException {
            return Frames.read(in);
        }

        void send(String text) throws IOException {
            send(text.getBytes(StandardCharsets.UTF_8));
        }

        void send(byte[] bytes) throws IOException {
            socket.getOutputStream().write(bytes);
        }

        /// Ends the connection with FIN.
        void close() throws IOException {
            socket.close();
        }

        /// Ends the connection with RST.
        void reset() throws IOException {
            try {
                socket.setSoLinger(true, 0);
            } catch (SocketException e) {
                throw new UncheckedIOException(e);
            }
            socket.close();
        }

        /// Reads until the proxy has closed the connection.
        void awaitClose() throws IOException {
            try {
                in.transferTo(OutputStream.nullOutputStream());
            } catch (SocketException e) {
                // reset is closed too
            } finally {
                socket.close();
            }
        }
    }
}
