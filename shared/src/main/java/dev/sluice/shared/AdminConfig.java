package dev.sluice.shared;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;

/// Where a program answers its operators, and what they must know.
///
/// - `admin`: admin port, `HOST:PORT`: probes, `/metrics`, and what operators ask
///
/// @param host a name or an address; a wildcard, as `0.0.0.0`, means every interface
/// @param port 0 takes any free one
/// @param token `admin_token`: asked of every caller but probes and metrics; needed when `admin` is
///   not on loopback; at least 16 characters
/// @param readToken `admin_read_token`: taken instead of it by what changes nothing; goes with
///   `admin_token`
public record AdminConfig(
        String host, int port, @Nullable String token, @Nullable String readToken) {
    private static final String NEEDS_TOKEN_FIX =
            "set admin_token (admin_token: ${SLUICE_ADMIN_TOKEN}), or listen on 127.0.0.1";

    /// @param ifAbsent the address when the file has none, as `127.0.0.1:9901`
    public static AdminConfig from(ConfigNode root, String ifAbsent) {
        String address = root.string("admin", ifAbsent);
        String token = token(root, "admin_token");
        String readToken = token(root, "admin_read_token");
        if (readToken != null && (token == null || token.equals(readToken))) {
            root.problem(
                    "admin_read_token",
                    token == null ? "goes with an admin_token" : "is the admin_token",
                    "set admin_token to another one; that one may change things");
        }
        try {
            AdminConfig config = parse(address, token).readBy(readToken);
            if (config.exposed()) {
                root.problem("admin", "is open to the network without a token", NEEDS_TOKEN_FIX);
            }
            return config;
        } catch (IllegalArgumentException e) {
            root.problem("admin", String.valueOf(e.getMessage()), "write 127.0.0.1:9901");
            return parse(ifAbsent, token);
        }
    }

    private static @Nullable String token(ConfigNode root, String key) {
        String token = root.stringOrNull(key);
        if (token != null && token.length() < 16) {
            root.problem(
                    key,
                    "is " + token.length() + " characters long",
                    "use 16 or more, as `openssl rand -hex 24` makes them");
        }
        return token;
    }

    /// Without a read token.
    public AdminConfig(String host, int port, @Nullable String token) {
        this(host, port, token, null);
    }

    /// The same tokens at another address.
    public AdminConfig at(String otherHost, int otherPort) {
        return new AdminConfig(otherHost, otherPort, token, readToken);
    }

    private AdminConfig readBy(@Nullable String other) {
        return new AdminConfig(host, port, token, other);
    }

    /// @param address `HOST:PORT`, with brackets around an IPv6 host
    /// @throws IllegalArgumentException with a message that shows what was found
    public static AdminConfig parse(String address, @Nullable String token) {
        int colon = address.lastIndexOf(':');
        if (colon <= 0) {
            throw new IllegalArgumentException("\"" + address + "\" is not HOST:PORT");
        }
        String host = address.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            throw new IllegalArgumentException(
                    "\"" + address + "\" needs brackets around its host, as [::1]:9901");
        }
        try {
            int port = Integer.parseInt(address.substring(colon + 1));
            if (port >= 0 && port <= 65535) {
                return new AdminConfig(host, port, token);
            }
        } catch (NumberFormatException e) {
            // reported below, with what was found
        }
        throw new IllegalArgumentException("\"" + address + "\" has no port from 0 to 65535");
    }

    /// What to tell someone who opens an address to the network without a token.
    ConfigProblem exposure() {
        return new ConfigProblem(
                "admin",
                0,
                host + ":" + port + " is open to the network without a token",
                NEEDS_TOKEN_FIX);
    }

    /// Whether the address, as far as it can be told without asking DNS, is open to the network
    /// while no token is set.
    private boolean exposed() {
        if (token != null || host.equalsIgnoreCase("localhost")) {
            return false;
        }
        try {
            return !InetAddress.ofLiteral(host).isLoopbackAddress();
        } catch (IllegalArgumentException e) {
            return false; // a name; looked up at start, and refused there
        }
    }
}
