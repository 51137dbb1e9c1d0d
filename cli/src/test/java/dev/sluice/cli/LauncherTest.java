package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/// The launcher in a copy of the project whose Maven, `java` and `sleep` are scripts of this test.
@Timeout(60)
class LauncherTest {
    @TempDir Path home;

    @BeforeEach
    void copy() throws IOException {
        Files.copy(Path.of("../sluice"), home.resolve("sluice"));
        executable(home.resolve("sluice"));
        Files.writeString(home.resolve("pom.xml"), "<project/>");
        Files.createDirectories(home.resolve("cli/src/main"));
        Files.createDirectories(home.resolve("jdk/bin"));
        Files.writeString(home.resolve("jdk/release"), "JAVA_VERSION=\"25.0.3\"\n");
        script("jdk/bin/java", "for last; do :; done; echo \"java $last\"");
        Files.createDirectories(home.resolve("bin"));
        // A second passes at once, and is a line.
        script("bin/sleep", "echo >>\"$HOME/seconds\"; exec /bin/sleep 0.01");
    }

    @Test
    void saysHowFarAFirstBuildIs() throws Exception {
        script(
                "bin/mvn",
                """
                echo '[INFO] Building Sluice shared 0.1.0 [2/6]'
                echo 'Downloaded from central: https://example.com/a.jar'
                echo '[INFO] Building Sluice   proxy 0.1.0 [3/6]'
                until [ "$(wc -l <"$HOME/seconds")" -ge 40 ]; do /bin/sleep 0.02; done
                mkdir -p cli/target/sluice && touch cli/target/sluice/built\
                """);

        Said said = launch("--version");

        assertThat(said.code).isZero();
        assertThat(said.err)
                .contains("sluice: first use, building")
                .contains("sluice:   15 s: Sluice proxy 0.1.0 [3/6], 1 files fetched")
                .contains("sluice:   30 s: ");
        assertThat(said.out).isEqualTo("java --version\n");
    }

    @Test
    void buildsOnlyWhenASourceIsNewer() throws Exception {
        script("bin/mvn", "echo built >>\"$HOME/builds\"");
        launch("--version");
        assertThat(launch("--version").err).isEmpty();

        Files.writeString(home.resolve("cli/src/main/Changed.java"), "class Changed {}");

        assertThat(launch("--version").err).contains("sources have changed, building");
        assertThat(home.resolve("builds")).hasContent("built\nbuilt");
    }

    @Test
    void showsWhyABuildFailed() throws Exception {
        script("bin/mvn", "echo '[INFO] quiet'; echo '[ERROR] no such symbol'; exit 1");

        Said said = launch("--version");

        assertThat(said.code).isEqualTo(1);
        assertThat(said.err)
                .contains("[ERROR] no such symbol", "the build failed")
                .doesNotContain("quiet");
        assertThat(said.out).isEmpty();
    }

    @Test
    void aotSaysNothingOfTheJvmThatWritesTheCache() throws Exception {
        script("bin/mvn", "mkdir -p cli/target/sluice/lib");
        script(
                "jdk/bin/java",
                """
                for word; do case $word in -XX:AOTCacheOutput=*) cache=${word#*=} ;; esac; done
                echo 'Picked up JAVA_TOOL_OPTIONS: -XX:AOTMode=create' >&2
                echo cache >"$cache"
                """);

        Said said = launch("aot");

        Path cache = home.toRealPath().resolve("cli/target/sluice/lib/sluice.aot");
        assertThat(said.code).isZero();
        assertThat(said.err).endsWith("sluice: wrote " + cache + "\n").doesNotContain("Picked up");
        assertThat(said.out).isEmpty();
        assertThat(cache.resolveSibling("sluice.aot.log")).doesNotExist();
    }

    @Test
    void aotShowsWhyNoCacheWasWritten() throws Exception {
        script("bin/mvn", "mkdir -p cli/target/sluice/lib");
        script("jdk/bin/java", "echo 'no room on the disk' >&2");

        Said said = launch("aot");

        assertThat(said.code).isEqualTo(1);
        assertThat(said.err).contains("no room on the disk", "no cache was written");
    }

    private record Said(int code, String out, String err) {}

    private Said launch(String... arguments) throws Exception {
        var builder = new ProcessBuilder(home.resolve("sluice").toString());
        builder.command().addAll(List.of(arguments));
        builder.environment().put("HOME", home.toString());
        builder.environment().put("SLUICE_JAVA_HOME", home.resolve("jdk").toString());
        builder.environment()
                .merge("PATH", home.resolve("bin").toString(), (was, own) -> own + ":" + was);
        Path err = home.resolve("err");
        Process process = builder.redirectError(err.toFile()).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Said(process.waitFor(), out, Files.readString(err));
    }

    private void script(String path, String text) throws IOException {
        executable(Files.writeString(home.resolve(path), "#!/bin/sh\n" + text + "\n"));
    }

    private static void executable(Path file) throws IOException {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
