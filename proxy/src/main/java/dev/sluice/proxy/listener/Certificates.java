package dev.sluice.proxy.listener;

import io.netty.handler.codec.http2.Http2SecurityUtil;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// The certificate that new connections get, read again when its files change. A pair that does not
/// fit changes nothing: what was served before is served on, and the log says why.
///
/// A virtual thread looks at the files; event loops read one volatile field.
final class Certificates implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Certificates.class);
    private static final Duration LOOK = Duration.ofSeconds(2);

    static {
        // A client of TLS 1.2 could otherwise ask for handshake after handshake on one connection.
        // The JDK has this switch for the whole process only.
        System.setProperty("jdk.tls.rejectClientInitiatedRenegotiation", "true");
    }

    private final TlsConfig config;
    private final Thread thread;
    private volatile Served served;

    /// @param key Kubernetes changes a mounted Secret by pointing a link to another folder: then
    ///   only the inode tells
    private record Stamp(FileTime modified, long size, @Nullable Object key) {}

    /// @param ends when the certificate does
    record Served(SslContext context, Instant ends) {}

    /// Which field of `tls` is wrong, and what to do.
    static final class Unusable extends IOException {
        private static final long serialVersionUID = 1;
        private final String field;
        private final String fix;

        Unusable(String field, String message, String fix, @Nullable Throwable cause) {
            super(message, cause);
            this.field = field;
            this.fix = fix;
        }

        String field() {
            return field;
        }

        String fix() {
            return fix;
        }
    }

    Certificates(TlsConfig config) throws IOException {
        this.config = config;
        List<@Nullable Stamp> read = stamps(config);
        this.served = read(config);
        this.thread = Thread.ofVirtual().name("sluice-certificates").start(() -> watch(read));
    }

    /// For a connection that begins now.
    SslContext context() {
        return served.context;
    }

    /// When the certificate that is served ends.
    Instant ends() {
        return served.ends;
    }

    @Override
    public void close() {
        thread.interrupt();
    }

    /// A change counts once two looks in a row saw the same: files are replaced one by one.
    private void watch(List<@Nullable Stamp> read) {
        List<@Nullable Stamp> known = read;
        List<@Nullable Stamp> before = read;
        while (!Thread.currentThread().isInterrupted()) {
            try {
                Thread.sleep(LOOK);
            } catch (InterruptedException e) {
                return;
            }
            List<@Nullable Stamp> now = stamps(config);
            if (now.equals(before) && !now.equals(known)) {
                known = now;
                reload();
            }
            before = now;
        }
    }

    private void reload() {
        try {
            served = read(config);
            log.info("{} was read again; new connections get it", config.certificate());
        } catch (IOException e) {
            log.error(
                    "tls: {} changed and cannot be used, the old one is served on: {}",
                    config.certificate(),
                    e.getMessage());
        }
    }

    private static List<@Nullable Stamp> stamps(TlsConfig config) {
        var stamps = new ArrayList<@Nullable Stamp>();
        for (Path file : config.files()) {
            stamps.add(stamp(file));
        }
        return stamps;
    }

    private static @Nullable Stamp stamp(Path file) {
        try {
            var now = Files.readAttributes(file, BasicFileAttributes.class);
            return new Stamp(now.lastModifiedTime(), now.size(), now.fileKey());
        } catch (IOException e) {
            return null;
        }
    }

    /// @throws Unusable when the files are not what they should be
    static Served read(TlsConfig config) throws IOException {
        X509Certificate[] chain = Pem.certificates("certificate", config.certificate());
        PrivateKey key = Pem.key(config.key());
        if (!fit(chain[0], key)) {
            throw new Unusable(
                    "key",
                    config.key() + " is not the key of " + config.certificate(),
                    "give the pair that was made together",
                    null);
        }
        SslContextBuilder builder =
                SslContextBuilder.forServer(key, chain)
                        .protocols(config.protocols())
                        .ciphers(Http2SecurityUtil.CIPHERS, SupportedCipherSuiteFilter.INSTANCE)
                        .applicationProtocolConfig(
                                new ApplicationProtocolConfig(
                                        Protocol.ALPN,
                                        SelectorFailureBehavior.NO_ADVERTISE,
                                        SelectedListenerFailureBehavior.ACCEPT,
                                        ApplicationProtocolNames.HTTP_2,
                                        ApplicationProtocolNames.HTTP_1_1));
        Path ca = config.clientCa();
        if (ca != null) {
            builder.trustManager(Pem.certificates("client_ca", ca));
            builder.clientAuth(
                    switch (config.clients()) {
                        case REQUIRED -> ClientAuth.REQUIRE;
                        case OPTIONAL -> ClientAuth.OPTIONAL;
                    });
        }
        return new Served(builder.build(), chain[0].getNotAfter().toInstant());
    }

    private static boolean fit(X509Certificate certificate, PrivateKey key) {
        String algorithm =
                switch (key.getAlgorithm()) {
                    case "RSA" -> "SHA256withRSA";
                    case "EC" -> "SHA256withECDSA";
                    default -> key.getAlgorithm();
                };
        byte[] probe = {1};
        try {
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(key);
            signature.update(probe);
            byte[] signed = signature.sign();
            signature.initVerify(certificate.getPublicKey());
            signature.update(probe);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /// Netty's own readers of PEM, which its contexts hand to their kind only.
    private abstract static class Pem extends SslContext {
        static X509Certificate[] certificates(String field, Path file) throws Unusable {
            try {
                return toX509Certificates(file.toFile());
            } catch (Exception e) {
                throw new Unusable(
                        field,
                        file + " holds no certificate: " + e.getMessage(),
                        "give a PEM file that begins with -----BEGIN CERTIFICATE-----",
                        e);
            }
        }

        static PrivateKey key(Path file) throws Unusable {
            try {
                return toPrivateKey(file.toFile(), null);
            } catch (Exception e) {
                throw new Unusable(
                        "key",
                        file + " holds no usable private key: " + e.getMessage(),
                        "give an unencrypted PEM file that begins with -----BEGIN PRIVATE KEY-----",
                        e);
            }
        }
    }
}
