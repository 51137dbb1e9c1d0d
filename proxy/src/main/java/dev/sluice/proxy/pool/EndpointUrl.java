package dev.sluice.proxy.pool;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;

/// Where an endpoint listens: scheme, host, port and the path in front of `/v1`, checked and in one
/// spelling, so that equal addresses are equal.
///
/// @param tls https
/// @param host a name or a literal address; IPv6 without brackets
/// @param basePath empty, or begins with `/` and does not end with one
public record EndpointUrl(boolean tls, String host, int port, String basePath) {

    /// @throws IllegalArgumentException with a message that names the fix
    public static EndpointUrl parse(String text) {
        URI uri;
        try {
            uri = new URI(text.strip());
        } catch (URISyntaxException e) {
            throw wrong(text, "is not a URL");
        }
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        if (!scheme.equals("http") && !scheme.equals("https")) {
            throw wrong(text, "must begin with http:// or https://");
        }
        if (uri.getRawUserInfo() != null) {
            throw wrong(text, "must not hold a user or password");
        }
        if (uri.getRawQuery() != null || uri.getRawFragment() != null) {
            throw wrong(text, "must not have a query or fragment");
        }
        String host = uri.getHost();
        if (host == null || host.isEmpty()) {
            throw wrong(text, "has no valid host");
        }
        if (host.startsWith("[")) {
            host = host.substring(1, host.length() - 1);
        }
        if (literal(host) && InetAddress.ofLiteral(host).isLinkLocalAddress()) {
            throw wrong(text, "is a link-local address, which is refused");
        }
        boolean tls = scheme.equals("https");
        int port = uri.getPort() == -1 ? (tls ? 443 : 80) : uri.getPort();
        if (port < 1 || port > 65_535) {
            throw wrong(text, "has a port outside 1 to 65535");
        }
        return new EndpointUrl(tls, host.toLowerCase(Locale.ROOT), port, base(uri.getRawPath()));
    }

    /// Whether it is an address in digits, which nothing has to resolve.
    static boolean literal(String host) {
        try {
            return InetAddress.ofLiteral(host) != null;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /// What names the endpoint in admin paths and meters: `host:port`.
    public String id() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }

    /// The `Host` header: without the port where it is the scheme's own.
    public String authority() {
        String id = id();
        return port == (tls ? 443 : 80) ? id.substring(0, id.lastIndexOf(':')) : id;
    }

    /// As in the `x-sluice-endpoint` header: `http://10.0.0.1:8000/base`.
    @Override
    public String toString() {
        return (tls ? "https://" : "http://") + authority() + basePath;
    }

    /// An engine's base is often given as its OpenAI clients want it, with `/v1`: calls bring that
    /// themselves.
    private static String base(String path) {
        String out = path;
        while (out.endsWith("/")) {
            out = out.substring(0, out.length() - 1);
        }
        return out.endsWith("/v1") ? out.substring(0, out.length() - 3) : out;
    }

    private static IllegalArgumentException wrong(String text, String what) {
        return new IllegalArgumentException(
                "\"" + text + "\" " + what + "; write it as http://10.0.0.1:8000");
    }
}
