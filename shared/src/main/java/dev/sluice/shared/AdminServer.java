package dev.sluice.shared;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

/// The small HTTP server of an admin port: probes, metrics, JSON, the page.
///
/// The JDK's own server with a virtual thread for each request: what it answers is straight
/// blocking code, a few calls a second, and must work while the data path does not. Not for the
/// data path.
///
/// Who may ask: with a token, whoever sends it, as `Authorization: Bearer` or as the password of
/// Basic (so that a browser can ask its user); {@link AdminRoute#open open} routes need none, and
/// routes that change nothing take the read token too. Without a token the server only starts on
/// loopback, and answers only requests whose Host is a loopback one or the configured one, because
/// a web page may point its own name at 127.0.0.1 (DNS rebinding). Requests that change something
/// are refused when a browser says that another site sent them.
public final class AdminServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(AdminServer.class);
    private static final int MAX_BODY = 1 << 20;

    static {
        // The JDK's server is only tuned by these, read when its classes load: 10 s for a request
        // to arrive whole, and no Nagle delay between an answer's head and its body.
        setUnlessSet("sun.net.httpserver.maxReqTime", "10");
        setUnlessSet("sun.net.httpserver.nodelay", "true");
    }

    private final AdminGate gate;
    private final List<AdminRoute> routes;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    private AdminServer(AdminConfig config, List<AdminRoute> routes, HttpServer server) {
        this.gate = new AdminGate(config);
        this.routes =
                routes.stream().sorted(Comparator.comparingInt(AdminRoute::vagueness)).toList();
        this.server = server;
    }

    /// Binds and answers from now on.
    ///
    /// @throws ConfigException when the host is unknown, or open to the network without a token;
    ///   its message names the fix
    /// @throws UncheckedIOException around a BindException, when the address is taken or not of
    ///   this machine; so does that one's message
    public static AdminServer start(AdminConfig config, List<AdminRoute> routes) {
        var address = new InetSocketAddress(config.host(), config.port());
        InetAddress host = address.getAddress();
        if (host == null) {
            throw refuse(
                    "the host \"" + config.host() + "\" is not known", "write an address of ours");
        }
        if (config.token() == null && !host.isLoopbackAddress()) {
            throw new ConfigException("admin port", List.of(config.exposure()));
        }
        try {
            var server = new AdminServer(config, routes, HttpServer.create(address, 128));
            server.server.setExecutor(server.threads);
            server.server.createContext("/", server::handle);
            server.server.start();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    new BindException(
                            "cannot open the admin port at "
                                    + config.host()
                                    + ":"
                                    + config.port()
                                    + ": "
                                    + e.getMessage()
                                    + " (is another program using the port? choose another with"
                                    + " admin:, or --admin where the command has it)"));
        }
    }

    /// The bound port.
    public int port() {
        return server.getAddress().getPort();
    }

    /// Where to point a browser on this machine.
    public URI url() {
        InetAddress host = server.getAddress().getAddress();
        String name = host.isAnyLocalAddress() ? "127.0.0.1" : host.getHostAddress();
        return URI.create(
                "http://" + (name.contains(":") ? "[" + name + "]" : name) + ":" + port());
    }

    /// Stops at once: cuts event streams, answers nothing more.
    @Override
    public void close() {
        threads.shutdownNow();
        server.stop(0);
    }

    private void handle(HttpExchange exchange) {
        try (exchange) {
            send(exchange, answer(exchange));
        } catch (IOException e) {
            log.debug("{} left: {}", exchange.getRemoteAddress(), e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closing
        }
    }

    private AdminAnswer answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getRawPath();
        String method = exchange.getRequestMethod();
        try {
            for (AdminRoute route : routes) {
                Map<String, String> variables = path == null ? null : route.match(path);
                if (variables == null || !sameMethod(route, method)) {
                    continue;
                }
                AdminAnswer refusal = gate.refuse(exchange, route.needs());
                return refusal != null
                        ? refusal
                        : route.action().answer(request(exchange, variables));
            }
            AdminAnswer refusal = gate.refuse(exchange, AdminRoute.Access.READ);
            return refusal != null ? refusal : unknown(exchange, String.valueOf(path));
        } catch (AdminRefusal e) {
            return e.answer();
        } catch (RuntimeException e) {
            log.error("{} {} failed", method, path, e);
            return new AdminAnswer.Problem(
                    500, "internal_error", "this is a bug in Sluice", null, "see the log");
        }
    }

    private AdminRequest request(HttpExchange exchange, Map<String, String> variables)
            throws IOException {
        byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY + 1);
        if (body.length > MAX_BODY) {
            exchange.getResponseHeaders().set("Connection", "close");
            throw new AdminRefusal(
                    new AdminAnswer.Problem(
                            413,
                            "body_too_large",
                            "the body is over " + MAX_BODY + " bytes",
                            null,
                            "send less"));
        }
        String accept = exchange.getRequestHeaders().getFirst("Accept");
        return new AdminRequest(
                variables,
                query(exchange.getRequestURI().getRawQuery()),
                accept == null ? "" : accept,
                gate.of(exchange) == AdminRoute.Access.WRITE,
                new String(body, StandardCharsets.UTF_8));
    }

    private static Map<String, String> query(@Nullable String raw) {
        var out = new HashMap<String, String>();
        for (String pair : raw == null ? new String[0] : raw.split("&")) {
            int at = pair.indexOf('=');
            out.put(
                    decode(at < 0 ? pair : pair.substring(0, at)),
                    at < 0 ? "" : decode(pair.substring(at + 1)));
        }
        return out;
    }

    /// Says which methods a known path has, else which paths are near.
    private AdminAnswer unknown(HttpExchange exchange, String path) {
        var methods = new TreeSet<String>();
        routes.stream().filter(r -> r.match(path) != null).forEach(r -> methods.add(r.method()));
        if (!methods.isEmpty()) {
            String allowed = String.join(", ", methods);
            exchange.getResponseHeaders().set("Allow", allowed);
            return new AdminAnswer.Problem(
                    405,
                    "method_not_allowed",
                    exchange.getRequestMethod() + " is not answered at " + path,
                    "method",
                    "use " + allowed);
        }
        String near =
                routes.stream()
                        .sorted(
                                Comparator.comparingInt(
                                        (AdminRoute r) -> -commonPrefix(r.pattern(), path)))
                        .map(r -> r.method() + " " + r.pattern())
                        .distinct()
                        .limit(5)
                        .collect(Collectors.joining(", "));
        return AdminAnswer.notFound("path", "nothing is at " + path, "near: " + near);
    }

    private void send(HttpExchange exchange, AdminAnswer answer)
            throws IOException, InterruptedException {
        Headers headers = exchange.getResponseHeaders();
        headers.set("Cache-Control", "no-store");
        headers.set("X-Content-Type-Options", "nosniff");
        switch (answer) {
            case AdminAnswer.Json json ->
                    body(
                            exchange,
                            json.status(),
                            "application/json",
                            AdminJson.bytes(json.value()));
            case AdminAnswer.Content content -> {
                content.headers().forEach(headers::set);
                body(
                        exchange,
                        content.status(),
                        content.type(),
                        content.body().getBytes(StandardCharsets.UTF_8));
            }
            case AdminAnswer.Problem problem -> {
                if (problem.status() == 401) {
                    headers.set("WWW-Authenticate", AdminGate.challenge(exchange));
                }
                body(
                        exchange,
                        problem.status(),
                        "application/json",
                        AdminJson.bytes(Map.of("error", problem)));
            }
            case AdminAnswer.Events events -> events(exchange, events.feed());
        }
    }

    private static void body(HttpExchange exchange, int status, String type, byte[] bytes)
            throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", String.valueOf(bytes.length));
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private static void events(HttpExchange exchange, AdminAnswer.Feed feed)
            throws IOException, InterruptedException {
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(200, -1);
            return;
        }
        exchange.sendResponseHeaders(200, 0);
        OutputStream out = exchange.getResponseBody();
        feed.run(
                (event, json) -> {
                    out.write(("event: " + event + "\ndata: ").getBytes(StandardCharsets.UTF_8));
                    out.write(json);
                    out.write('\n');
                    out.write('\n');
                    out.flush();
                });
    }

    private static boolean sameMethod(AdminRoute route, String method) {
        return route.method().equals(method)
                || (method.equals("HEAD") && route.method().equals("GET"));
    }

    private static int commonPrefix(String a, String b) {
        int i = 0;
        while (i < a.length() && i < b.length() && a.charAt(i) == b.charAt(i)) {
            i++;
        }
        return i;
    }

    private static String decode(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    private static ConfigException refuse(String message, String fix) {
        return new ConfigException(
                "admin port", List.of(new ConfigProblem("admin", 0, message, fix)));
    }

    private static void setUnlessSet(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }
}
