package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// A client that is a socket: sends any bytes, reads responses strictly.
final class RawClient implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 10_000;

    private final Socket socket = new Socket();
    private final InputStream in;

    /// A response as it came.
    ///
    /// @param head with its blank line
    /// @param body content, chunks joined
    /// @param wire the body's bytes as they stood on the wire
    /// @param whole whether the body came to its framed end
    record Response(int status, String head, String body, String wire, boolean whole) {
        String header(String name) {
            for (String line : head.split("\r\n")) {
                if (line.toLowerCase(Locale.ROOT).startsWith(name.toLowerCase(Locale.ROOT) + ":")) {
                    return line.substring(name.length() + 1).strip();
                }
            }
            return null;
        }
    }

    RawClient(int port) throws IOException {
        this(port, 0);
    }

    /// @param receiveBuffer of the socket; 0 for the system's own
    RawClient(int port, int receiveBuffer) throws IOException {
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        socket.connect(
                new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port), TIMEOUT_MILLIS);
        in = new BufferedInputStream(socket.getInputStream(), 8 * 1024);
    }

    RawClient send(String text) throws IOException {
        return send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    RawClient send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        return this;
    }

    /// Sends a WebSocket's opening handshake.
    RawClient upgrade(String target, String... fields) throws IOException {
        return send(
                "GET "
                        + target
                        + " HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
                        + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        + String.join("", fields)
                        + "\r\n");
    }

    /// Reads one WebSocket frame.
    String frame() throws IOException {
        return Frames.read(in);
    }

    /// Sends a JSON call with the usual head.
    RawClient post(String json) throws IOException {
        return send(request(json));
    }

    static String request(String json) {
        return "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json"
                + "\r\nContent-Length: "
                + json.getBytes(StandardCharsets.ISO_8859_1).length
                + "\r\n\r\n"
                + json;
    }

    Response read() throws IOException {
        return read(false);
    }

    /// @param headRequest whether the request was a HEAD
    Response read(boolean headRequest) throws IOException {
        String head = readHead();
        assertThat(head).startsWith("HTTP/1.1 ");
        int status = Integer.parseInt(head.substring(9, 12));
        var response = new Response(status, head, "", "", true);
        if (headRequest || status == 204 || status == 304 || status < 200) {
            return response;
        }
        String length = response.header("content-length");
        if (length != null) {
            assertThat(response.header("transfer-encoding")).isNull();
            byte[] body = in.readNBytes(Integer.parseInt(length));
            return with(response, body, body, body.length == Integer.parseInt(length));
        }
        if ("chunked".equals(response.header("transfer-encoding"))) {
            return chunked(response);
        }
        assertThat(response.header("connection")).isEqualTo("close");
        byte[] body = in.readAllBytes();
        return with(response, body, body, true);
    }

    private Response chunked(Response response) throws IOException {
        var body = new ByteArrayOutputStream();
        var wire = new ByteArrayOutputStream();
        try {
            while (true) {
                String line = line(wire);
                assertThat(line).matches("[0-9a-fA-F]+");
                int size = Integer.parseInt(line, 16);
                byte[] data = in.readNBytes(size);
                body.write(data);
                wire.write(data);
                if (data.length < size) {
                    throw new EOFException();
                }
                assertThat(line(wire)).isEmpty();
                if (size == 0) {
                    return with(response, body.toByteArray(), wire.toByteArray(), true);
                }
            }
        } catch (EOFException | SocketException e) {
            return with(response, body.toByteArray(), wire.toByteArray(), false);
        }
    }

    private static Response with(Response head, byte[] body, byte[] wire, boolean whole) {
        return new Response(
                head.status,
                head.head,
                new String(body, StandardCharsets.UTF_8),
                new String(wire, StandardCharsets.UTF_8),
                whole);
    }

    private String line(ByteArrayOutputStream wire) throws IOException {
        var out = new StringBuilder();
        while (true) {
            int c = in.read();
            if (c < 0) {
                throw new EOFException("end inside a line: " + out);
            }
            wire.write(c);
            if (c == '\n') {
                assertThat(out.toString()).endsWith("\r");
                return out.substring(0, out.length() - 1);
            }
            out.append((char) c);
        }
    }

    String readHead() throws IOException {
        var out = new StringBuilder();
        while (out.length() < 4 || !out.substring(out.length() - 4).equals("\r\n\r\n")) {
            int c = in.read();
            if (c < 0) {
                throw new EOFException("end inside a head: " + out);
            }
            out.append((char) c);
        }
        return out.toString();
    }

    /// Reads so many bytes.
    String read(int bytes) throws IOException {
        return new String(in.readNBytes(bytes), StandardCharsets.UTF_8);
    }

    /// Reads to the connection's end.
    String readAll() throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    /// Reads on until `text` has come.
    String readUntil(String text) throws IOException {
        var out = new StringBuilder();
        while (out.indexOf(text, Math.max(0, out.length() - text.length())) < 0) {
            int c = in.read();
            if (c < 0) {
                throw new EOFException("no \"" + text + "\" in: " + out);
            }
            out.append((char) c);
        }
        return out.toString();
    }

    /// Asserts that the proxy sends no further byte and closes the connection.
    void assertClosed() throws IOException {
        try {
            assertThat(new String(in.readAllBytes(), StandardCharsets.ISO_8859_1)).isEmpty();
        } catch (SocketException e) {
            // reset is closed too
        }
    }

    void shutdownOutput() throws IOException {
        socket.shutdownOutput();
    }

    /// Leaves with RST.
    void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
