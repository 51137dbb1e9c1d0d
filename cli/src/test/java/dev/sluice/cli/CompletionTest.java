package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

@Timeout(60)
class CompletionTest {
    @TempDir Path folder;

    private static String script(String shell) {
        var out = new StringWriter();
        var err = new StringWriter();
        var console = new Console(new PrintWriter(out, true), new PrintWriter(err, true), false);
        assertThat(Main.run(console, "completion", shell)).as("%s", err).isZero();
        return out.toString();
    }

    /// What bash offers for the last of these words.
    private List<String> bash(String... words) throws Exception {
        Path file = Files.writeString(folder.resolve("completion.bash"), script("bash"));
        var quoted = new StringBuilder();
        for (String word : words) {
            quoted.append(" '").append(word).append('\'');
        }
        String run =
                """
                source %s
                COMP_WORDS=(%s) COMP_CWORD=%d COMP_LINE="${COMP_WORDS[*]}" COMP_POINT=${#COMP_LINE}
                _complete_sluice
                printf '%%s\\n' "${COMPREPLY[@]}"
                """
                        .formatted(file, quoted, words.length - 1);
        Process process =
                new ProcessBuilder("bash", "--norc", "-c", run)
                        .directory(folder.toFile())
                        // compopt complains when nobody is at the keyboard
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(answer).isZero();
        return answer.lines().map(String::strip).toList();
    }

    @Test
    void bashCompletesCommandsFlagsValuesAndFiles() throws Exception {
        assertThat(bash("sluice", "")).contains("proxy", "autoscaler", "top", "completion");
        assertThat(bash("sluice", "pro")).containsExactly("proxy");
        assertThat(bash("sluice", "proxy", "--re")).containsExactly("--reuse-port");
        assertThat(bash("sluice", "endpoints", "un")).containsExactly("undrain");
        assertThat(bash("sluice", "top", "--sort", "in")).containsExactly("in-flight");
        assertThat(bash("sluice", "completion", "f")).containsExactly("fish");
        Files.createFile(folder.resolve("mine.yaml"));
        assertThat(bash("sluice", "check", "--config", "mi")).containsExactly("mine.yaml");
    }

    @Test
    void zshGetsTheScriptWithItsOwnInit() {
        assertThat(script("zsh")).isEqualTo(script("bash")).contains("bashcompinit");
    }

    @Test
    void fishHasALineForEveryCommandAndFlag() throws IOException {
        assertThat(script("fish"))
                .contains("-a proxy -d 'Runs the proxy.'")
                .contains("__fish_seen_subcommand_from proxy' -l reuse-port -d ")
                .contains("__fish_seen_subcommand_from endpoints; and not")
                .contains(
                        "__fish_seen_subcommand_from top' -l sort -r -a 'endpoint state in-flight"
                                + " waiting kv failures'")
                .contains("__fish_seen_subcommand_from check' -l config -r -F")
                .doesNotContain("${");
    }
}
