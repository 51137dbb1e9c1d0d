package dev.sluice.proxy.upstream;

import dev.sluice.shared.ConfigNode;

import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;

import javax.net.ssl.SSLException;

/// Whom `https` endpoints have to be signed by, and who the proxy is to them. Without it the JDK's
/// own authorities are trusted.
///
/// @param ca PEM: who is trusted instead of the JDK's authorities; may hold several
/// @param certificate PEM, with its chain: what the proxy shows to endpoints that ask
/// @param key PEM, not encrypted; with `certificate`
/// @param verify `false` trusts whoever answers, with a warning in the log
public record UpstreamTls(
        @Nullable Path ca, @Nullable Path certificate, @Nullable Path key, boolean verify) {

    /// Null when there is none.
    static @Nullable UpstreamTls from(ConfigNode upstream) {
        if (!upstream.has("tls")) {
            return null;
        }
        ConfigNode node = upstream.object("tls");
        var config =
                new UpstreamTls(
                        node.file("ca"),
                        node.file("certificate"),
                        node.file("key"),
                        node.bool("verify", true));
        if (node.has("certificate") != node.has("key")) {
            node.problem(
                    node.has("key") ? "certificate" : "key", "is missing", "give both, or neither");
        }
        if (!config.verify && node.has("ca")) {
            node.problem("ca", "has no effect with verify: false", "leave one of them out");
        }
        try {
            config.trust(SslContextBuilder.forClient());
        } catch (IllegalArgumentException e) {
            node.problem(
                    "ca",
                    "holds no certificate: " + e.getMessage(),
                    "give a PEM file that begins with -----BEGIN CERTIFICATE-----");
        }
        try {
            config.identify(SslContextBuilder.forClient());
        } catch (IllegalArgumentException e) {
            node.problem(
                    "certificate",
                    "cannot be used with its key: " + e.getMessage(),
                    "give unencrypted PEM files");
        }
        node.finish();
        return config;
    }

    /// For connections and, by its JDK context, for probes. Reads the files.
    public JdkSslContext context() {
        SslContextBuilder builder = SslContextBuilder.forClient().sslProvider(SslProvider.JDK);
        trust(builder);
        identify(builder);
        builder.endpointIdentificationAlgorithm(verify ? "HTTPS" : "");
        try {
            return (JdkSslContext) builder.build();
        } catch (SSLException e) {
            throw new IllegalStateException("upstream.tls: " + e.getMessage(), e);
        }
    }

    private void trust(SslContextBuilder builder) {
        if (!verify) {
            builder.trustManager(InsecureTrustManagerFactory.INSTANCE);
        } else if (ca != null) {
            builder.trustManager(ca.toFile());
        }
    }

    private void identify(SslContextBuilder builder) {
        if (certificate != null && key != null) {
            builder.keyManager(certificate.toFile(), key.toFile());
        }
    }
}
