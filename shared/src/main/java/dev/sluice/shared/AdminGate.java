package dev.sluice.shared;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;

import dev.sluice.shared.AdminRoute.Access;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;

/// Who may ask an admin server; {@link AdminServer} says the rules.
final class AdminGate {
    private final AdminConfig config;
    private final byte @Nullable [] token;
    private final byte @Nullable [] readToken;

    AdminGate(AdminConfig config) {
        this.config = config;
        this.token = config.token() == null ? null : digest(config.token());
        this.readToken = config.readToken() == null ? null : digest(config.readToken());
    }

    /// What the sender may do by its token.
    Access of(HttpExchange exchange) {
        byte[] sent = digest(credential(exchange.getRequestHeaders()));
        if (token == null || MessageDigest.isEqual(token, sent)) {
            return Access.WRITE;
        }
        return readToken != null && MessageDigest.isEqual(readToken, sent)
                ? Access.READ
                : Access.NONE;
    }

    /// The refusal, or null when the request may go on.
    @Nullable AdminAnswer refuse(HttpExchange exchange, Access needs) {
        if (needs == Access.NONE) {
            return null;
        }
        Headers headers = exchange.getRequestHeaders();
        List<String> hosts = headers.getOrDefault("Host", List.of());
        if (token == null && (hosts.size() != 1 || !ours(name(hosts.getFirst())))) {
            return new AdminAnswer.Problem(
                    403,
                    "wrong_host",
                    "without a token this port answers to its own name only, not to " + hosts,
                    "Host",
                    "open http://" + config.host() + ":" + config.port() + ", or set admin_token");
        }
        Access has = of(exchange);
        if (has == Access.NONE) {
            return new AdminAnswer.Problem(
                    401,
                    "token_required",
                    "this needs the admin token",
                    "Authorization",
                    "send Authorization: Bearer with admin_token");
        }
        if (has.compareTo(needs) < 0) {
            return new AdminAnswer.Problem(
                    403,
                    "read_only",
                    "the read token changes nothing",
                    "Authorization",
                    "send admin_token instead of admin_read_token");
        }
        boolean reads = List.of("GET", "HEAD").contains(exchange.getRequestMethod());
        if (!reads && fromAnotherSite(headers)) {
            return new AdminAnswer.Problem(
                    403,
                    "wrong_origin",
                    "a page of another site sent this",
                    "Origin",
                    "send it from the admin page or a program");
        }
        return null;
    }

    private boolean ours(String host) {
        if (host.equalsIgnoreCase(config.host()) || host.equalsIgnoreCase("localhost")) {
            return true;
        }
        try {
            return InetAddress.ofLiteral(host).isLoopbackAddress();
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static boolean fromAnotherSite(Headers headers) {
        String origin = headers.getFirst("Origin");
        String site = headers.getFirst("Sec-Fetch-Site");
        if (site != null && !site.equals("same-origin") && !site.equals("none")) {
            return true;
        }
        if (origin == null) {
            return false;
        }
        try {
            String authority = URI.create(origin).getRawAuthority();
            return authority == null || !authority.equalsIgnoreCase(headers.getFirst("Host"));
        } catch (IllegalArgumentException e) {
            return true;
        }
    }

    /// How a 401 asks: in the scheme that was tried. A browser asks its user over a page's head
    /// when a script's own token meets Basic.
    static String challenge(HttpExchange exchange) {
        boolean bearer = uses("Bearer ", exchange.getRequestHeaders().getFirst("Authorization"));
        return (bearer ? "Bearer" : "Basic") + " realm=\"Sluice admin\"";
    }

    private static boolean uses(String scheme, @Nullable String authorization) {
        return authorization != null
                && authorization.regionMatches(true, 0, scheme, 0, scheme.length());
    }

    /// The token of Bearer, the password of Basic, or nothing.
    private static String credential(Headers headers) {
        String value = headers.getFirst("Authorization");
        if (value != null && uses("Bearer ", value)) {
            return value.substring(7).strip();
        }
        if (value == null || !uses("Basic ", value)) {
            return "";
        }
        try {
            String pair =
                    new String(
                            Base64.getDecoder().decode(value.substring(6).strip()),
                            StandardCharsets.UTF_8);
            return pair.substring(pair.indexOf(':') + 1);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    /// `localhost` of `localhost:9901`, `::1` of `[::1]:9901`.
    private static String name(String host) {
        if (host.startsWith("[")) {
            return host.substring(1, Math.max(1, host.indexOf(']')));
        }
        int colon = host.indexOf(':');
        return colon < 0 ? host : host.substring(0, colon);
    }

    /// Equal lengths, so that comparing takes equal time.
    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
