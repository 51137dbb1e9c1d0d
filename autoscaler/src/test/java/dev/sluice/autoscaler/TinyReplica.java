package dev.sluice.autoscaler;

import com.sun.net.httpserver.HttpServer;

import java.io.File;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/// A program that serves /health: what tests start as a replica. Arguments: port, and optionally
/// what to do: `crash` ends at once.
public final class TinyReplica {
    private TinyReplica() {}

    public static void main(String[] args) throws Exception {
        if (args.length > 1 && args[1].equals("crash")) {
            System.out.println("no such model");
            System.exit(3);
        }
        int port = Integer.parseInt(args[0]);
        HttpServer server =
                HttpServer.create(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 16);
        server.createContext(
                "/health",
                exchange -> {
                    exchange.sendResponseHeaders(200, -1);
                    exchange.close();
                });
        server.start();
    }

    /// The command that starts it on `{port}`; the smallest JVM there is.
    public static List<String> command(String... more) {
        String java = System.getProperty("java.home") + File.separator + "bin" + File.separator;
        var command =
                new ArrayList<>(
                        List.of(
                                java + "java",
                                "-Xmx16m",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-Xshare:auto",
                                "-cp",
                                System.getProperty(
                                                "surefire.test.class.path",
                                                System.getProperty("java.class.path"))
                                        .split(File.pathSeparator)[0],
                                TinyReplica.class.getName(),
                                "{port}"));
        command.addAll(List.of(more));
        return List.copyOf(command);
    }
}
