package dev.sluice.autoscaler.signal;

import dev.sluice.shared.ConfigNode;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/// Where the proxies' admin ports are: fixed `urls`, or every address that the name `service` has,
/// looked up anew at each poll, so in Kubernetes a headless service.
///
/// @param urls admin ports of the proxies, as `http://127.0.0.1:9901`; all have to answer
/// @param service instead of `urls`: a DNS name whose every address is a proxy
/// @param port of the service's admin ports
/// @param token the proxies' `admin_token`, if they have one
public record ProxySource(
        List<URI> urls, @Nullable String service, int port, @Nullable String token)
        implements ProxyAddresses {

    public static ProxySource from(ConfigNode node) {
        var urls = new ArrayList<URI>();
        for (String text : node.strings("urls")) {
            URI url = url(text);
            if (url == null) {
                node.problem(
                        "urls",
                        "\"" + text + "\" is not a proxy's address",
                        "write its admin port, as http://127.0.0.1:9901");
            } else if (urls.contains(url)) {
                node.problem("urls", url + " is there twice", "delete one of them");
            } else {
                urls.add(url);
            }
        }
        String service = node.stringOrNull("service");
        int port = node.integer("port", 9901, 1, 65535);
        String token = node.stringOrNull("token");
        if (service != null && !urls.isEmpty()) {
            node.problem("service", "is written beside urls", "keep one of them");
        } else if (service == null && urls.isEmpty()) {
            node.problem(
                    "urls", "names no proxy", "write urls: [http://127.0.0.1:9901] or service:");
        }
        return new ProxySource(List.copyOf(urls), service, port, token);
    }

    @Override
    public List<URI> now() throws UnknownHostException {
        if (service == null) {
            return urls;
        }
        var out = new ArrayList<URI>();
        for (InetAddress address : lookUp(service)) {
            String host = address.getHostAddress();
            out.add(
                    URI.create(
                            "http://"
                                    + (host.contains(":") ? "[" + host + "]" : host)
                                    + ":"
                                    + port));
        }
        return out;
    }

    /// Without the token, which stands beside.
    @Override
    public String toString() {
        return service == null ? urls.toString() : service + ":" + port;
    }

    private static InetAddress[] lookUp(String name) throws UnknownHostException {
        try {
            return InetAddress.getAllByName(name);
        } catch (UnknownHostException e) {
            throw new UnknownHostException(name + " has no address");
        }
    }

    private static @Nullable URI url(String text) {
        try {
            URI url = URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
            boolean http = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
            boolean bare = url.getRawPath() == null || url.getRawPath().isEmpty();
            return http && bare && url.getHost() != null ? url : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
