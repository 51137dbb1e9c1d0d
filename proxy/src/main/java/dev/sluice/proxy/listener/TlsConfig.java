package dev.sluice.proxy.listener;

import dev.sluice.shared.ConfigNode;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// TLS on the data port. Without it the port speaks in the clear.
///
/// @param certificate PEM: the certificate, then its chain
/// @param key PEM, not encrypted
/// @param clientCa PEM: clients need a certificate signed by one of these; without it they are not
///   asked for one
/// @param clients `client_certificates`: with `optional` only a certificate that is shown is
///   checked
/// @param minVersion the oldest version that is spoken: `1.2` or `1.3`
public record TlsConfig(
        Path certificate, Path key, @Nullable Path clientCa, Clients clients, Version minVersion) {

    /// Whether certificates of clients are a must.
    public enum Clients {
        REQUIRED,
        OPTIONAL
    }

    /// The oldest that is spoken.
    public enum Version {
        TLS_1_2,
        TLS_1_3
    }

    /// Null when there is none, or when what is there is on the list of problems.
    static @Nullable TlsConfig from(ConfigNode top) {
        if (!top.has("tls")) {
            return null;
        }
        ConfigNode node = top.object("tls");
        Path certificate = file(node, "certificate", "write certificate: /path/to/tls.crt");
        Path key = file(node, "key", "write key: /path/to/tls.key");
        Path clientCa = node.file("client_ca");
        Clients clients = node.choice("client_certificates", Clients.class, Clients.REQUIRED);
        if (node.has("client_certificates") && !node.has("client_ca")) {
            node.problem(
                    "client_certificates",
                    "has no effect without client_ca",
                    "write client_ca: /path/to/ca.crt");
        }
        Version min = version(node);
        node.finish();
        if (certificate == null || key == null || (clientCa == null && node.has("client_ca"))) {
            return null;
        }
        var config = new TlsConfig(certificate, key, clientCa, clients, min);
        try {
            Certificates.read(config);
        } catch (Certificates.Unusable e) {
            node.problem(e.field(), String.valueOf(e.getMessage()), e.fix());
        } catch (IOException e) {
            node.problem("certificate", "cannot be used: " + e.getMessage(), "");
        }
        return config;
    }

    private static @Nullable Path file(ConfigNode node, String field, String fix) {
        if (!node.has(field)) {
            node.problem(field, "is missing", fix);
            return null;
        }
        return node.file(field);
    }

    private static Version version(ConfigNode node) {
        return switch (node.string("min_version", "1.2")) {
            case "1.2" -> Version.TLS_1_2;
            case "1.3" -> Version.TLS_1_3;
            default -> {
                node.problem("min_version", "is neither 1.2 nor 1.3", "write min_version: 1.2");
                yield Version.TLS_1_2;
            }
        };
    }

    String[] protocols() {
        return switch (minVersion) {
            case TLS_1_2 -> new String[] {"TLSv1.3", "TLSv1.2"};
            case TLS_1_3 -> new String[] {"TLSv1.3"};
        };
    }

    List<Path> files() {
        return clientCa == null ? List.of(certificate, key) : List.of(certificate, key, clientCa);
    }
}
