package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.autoscaler.AutoscalerConfig;
import dev.sluice.proxy.ProxyConfig;
import dev.sluice.proxy.admin.ConfigDiff;
import dev.sluice.shared.ConfigKey;
import dev.sluice.shared.ConfigNode;
import dev.sluice.shared.ConfigSource;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/// docs/reference/configuration.md is what the code reads: the complete files beside it are read by
/// the loaders of both programs, which write down each key that they ask for. After a change: `mvn
/// -pl cli -am verify -Dtest=ConfigurationReferenceTest -Dsurefire.failIfNoSpecifiedTests=false
/// -Dsluice.write=true`.
class ConfigurationReferenceTest {
    private static final Path REFERENCE = Path.of("../docs/reference");
    private static final Path PAGE = REFERENCE.resolve("configuration.md");
    private static final String PASSWORD = "changeit";
    private static final String NONE =
            "pools: [{name: other, endpoints: [{url: 'http://127.0.0.1:1'}]}]";

    private static Path certificates;

    private static ConfigurationReference proxy;
    private static ConfigurationReference autoscaler;

    @BeforeAll
    static void readCompleteFiles(@TempDir Path folder) throws Exception {
        certificates = folder;
        makeCertificate();
        Set<String> restart = changes(true);
        proxy =
                new ConfigurationReference(
                        keys("proxy.yaml", ProxyConfig::from), key -> within(restart, key));
        autoscaler =
                new ConfigurationReference(
                        keys("autoscaler.yaml", AutoscalerConfig::from), _ -> true);
    }

    @Test
    void completeFilesWriteEveryKeyThatIsAskedFor() {
        assertThat(proxy.untyped()).as("write these in docs/reference/proxy.yaml").isEmpty();
        assertThat(autoscaler.untyped()).as("write these in autoscaler.yaml").isEmpty();
    }

    @Test
    void everyKeyHasAMeaning() {
        assertThat(proxy.undescribed()).as(DocComments.class.getSimpleName()).isEmpty();
        assertThat(autoscaler.undescribed()).as(DocComments.class.getSimpleName()).isEmpty();
    }

    @Test
    void pageIsWhatIsReadAndSaid() throws IOException {
        String page = page();
        if (Boolean.getBoolean("sluice.write")) {
            Files.writeString(PAGE, page);
        }
        assertThat(Files.readString(PAGE)).as("-Dsluice.write=true rewrites it").isEqualTo(page);
    }

    /// What a reload names, in its answer and in the log, is what is written in the file.
    @Test
    void changesGoByTheNamesOfTheFile() throws IOException {
        Set<String> known = new HashSet<>();
        proxy.keys().forEach(key -> known.add(key.path()));
        var named = changes(true);
        named.addAll(changes(false));
        assertThat(named.stream().map(ConfigurationReferenceTest::inLists)).isSubsetOf(known);
    }

    private static String page() {
        return """
        # Configuration reference

        Every key of both files, as the code reads them; a test writes this page and fails when it is
        not up to date. [Configuration](../configuration.md) says how files are read, taken over and
        found wrong. Complete files, each key with a value of its own:
        [proxy.yaml](proxy.yaml), [autoscaler.yaml](autoscaler.yaml).

        A *time* is written `500ms`, `30s`, `5m`, `2h`; a *size* `512B`, `64KiB`, `10MB`; an *address*
        `127.0.0.1:8080` or `:8080`; a *number* `0.05` or `5%`. A *file* is a path that must be readable
        when the configuration is read. Without a default a key may be left out, unless it says
        *required* or its meaning says otherwise. *Reload*: taken over from the changed file while the
        proxy runs. *Restart*: takes effect at the next start.

        ## The proxy

        """
                + proxy.markdown()
                + """
                ## The autoscaler

                What stands in `scalers[]`, but for `target.process`, is also the spec of an
                `InferenceScaler`, which is taken over as soon as it is changed.

                """
                + autoscaler.markdown().strip()
                + "\n";
    }

    private static List<ConfigKey> keys(String file, Function<ConfigNode, ?> reader)
            throws IOException {
        return ConfigSource.keys(file, text(file), ConfigurationReferenceTest::environment, reader)
                .stream()
                .map(ConfigurationReferenceTest::atHome)
                .toList();
    }

    /// The paths that differ between a file of defaults and the complete one: of what a reload
    /// takes over, or of what it leaves.
    private static Set<String> changes(boolean restart) throws IOException {
        ProxyConfig before =
                ConfigSource.parse(
                        "none", NONE, ConfigurationReferenceTest::environment, ProxyConfig::from);
        ProxyConfig after =
                ConfigSource.parse(
                        "all",
                        text("proxy.yaml"),
                        ConfigurationReferenceTest::environment,
                        ProxyConfig::from);
        ProxyConfig reloaded = before.reloaded(after);
        var out = new HashSet<String>();
        (restart ? ConfigDiff.between(reloaded, after) : ConfigDiff.between(before, reloaded))
                .forEach(change -> out.add(change.path()));
        return out;
    }

    private static boolean within(Set<String> changed, String key) {
        return changed.stream().anyMatch(path -> key.equals(path) || key.startsWith(path + "."));
    }

    /// An entry of a list as the list; of a map too.
    private static String inLists(String path) {
        return path.replaceAll("\\[[^]]*]$", "").replaceAll("\\[[^]]*]", "[]");
    }

    private static ConfigKey atHome(ConfigKey key) {
        String value = key.ifAbsent();
        return value == null
                ? key
                : new ConfigKey(
                        key.path(),
                        key.type(),
                        value.replace(System.getProperty("user.home"), "~"),
                        key.reader());
    }

    private static String text(String file) throws IOException {
        return Files.readString(REFERENCE.resolve(file));
    }

    private static @Nullable String environment(String name) {
        return name.equals("CERTS") ? certificates.toString() : null;
    }

    /// A certificate that signs itself, with the JDK's keytool.
    private static void makeCertificate() throws Exception {
        Path store = certificates.resolve("store");
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(
                List.of(
                        "-genkeypair -alias a -keyalg EC -groupname secp256r1 -dname CN=localhost"
                                .split(" ")));
        command.addAll(List.of("-storepass", PASSWORD, "-keystore", store.toString()));
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(keytool.waitFor()).as(said).isZero();
        KeyStore made = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            made.load(in, PASSWORD.toCharArray());
        }
        pem("tls.crt", "CERTIFICATE", made.getCertificate("a").getEncoded());
        pem("tls.key", "PRIVATE KEY", made.getKey("a", PASSWORD.toCharArray()).getEncoded());
    }

    private static void pem(String file, String what, byte[] bytes) throws IOException {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
        Files.writeString(
                certificates.resolve(file),
                "-----BEGIN " + what + "-----\n" + text + "\n-----END " + what + "-----\n");
    }
}
