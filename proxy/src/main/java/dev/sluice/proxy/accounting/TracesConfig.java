package dev.sluice.proxy.accounting;

import dev.sluice.shared.ConfigNode;

import org.jspecify.annotations.Nullable;

import java.net.URI;
import java.net.URISyntaxException;

/// Where traces go. Without it there are none.
///
/// @param endpoint base address of an OTLP receiver that speaks HTTP with protobuf, as
///   `http://collector:4318`
/// @param sample share of the calls without a `traceparent` of their own that is traced; a caller's
///   decision is followed
/// @param service `service.name` of the spans
public record TracesConfig(URI endpoint, double sample, String service) {
    private static final double SAMPLE = 0.05;

    /// @return null when no traces are wanted
    static @Nullable TracesConfig from(ConfigNode top) {
        if (!top.has("traces")) {
            return null;
        }
        ConfigNode node = top.object("traces");
        URI endpoint = endpoint(node);
        var config =
                new TracesConfig(
                        endpoint,
                        node.number("sample", SAMPLE, 0, 1),
                        node.string("service", "sluice"));
        node.finish();
        return config;
    }

    private static URI endpoint(ConfigNode node) {
        String fix = "write endpoint: http://collector:4318";
        String text = node.required("endpoint", fix);
        try {
            var uri = new URI(text);
            boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (text.isEmpty() || (web && uri.getHost() != null)) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // told below
        }
        node.problem("endpoint", "\"" + text + "\" is no http address", fix);
        return URI.create("");
    }
}
