package dev.sluice.cli;

import dev.sluice.shared.AdminConfig;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;

import java.net.URI;

/// The flags of every command that talks to a running proxy.
final class AdminOptions {
    @Option(
            names = "--admin",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:9901",
            description = "Admin port of the proxy (default ${DEFAULT-VALUE}).")
    private String admin = "";

    @Option(
            names = "--token",
            paramLabel = "TOKEN",
            defaultValue = "${env:SLUICE_ADMIN_TOKEN}",
            description = "Its admin token, if it has one; better in SLUICE_ADMIN_TOKEN.")
    private @Nullable String token;

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    boolean json() {
        return json;
    }

    AdminClient connect() {
        return new AdminClient(base(), token);
    }

    private URI base() {
        try {
            if (admin.startsWith("http://") || admin.startsWith("https://")) {
                return URI.create(admin);
            }
            AdminConfig address = AdminConfig.parse(admin, null);
            return URI.create(
                    "http://" + admin.substring(0, admin.lastIndexOf(':')) + ":" + address.port());
        } catch (IllegalArgumentException e) {
            throw CommandFailed.badInput("--admin: " + e.getMessage() + "; write 127.0.0.1:9901");
        }
    }
}
