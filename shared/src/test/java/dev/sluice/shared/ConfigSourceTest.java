package dev.sluice.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

class ConfigSourceTest {
    private static <T> T parse(String text, Function<ConfigNode, T> reader) {
        return ConfigSource.parse("sluice.yaml", text, Map.of("KEY", "s3cret")::get, reader);
    }

    @Test
    void takesDefaultsFromAnEmptyFile() {
        assertEquals("0.0.0.0:8080", parse("", n -> n.string("listen", "0.0.0.0:8080")));
        assertEquals(
                Duration.ofSeconds(3), parse("{}", n -> n.duration("wait", Duration.ofSeconds(3))));
    }

    @Test
    void readsUnits() {
        assertEquals(
                Duration.ofMillis(250),
                parse("wait: 250ms", n -> n.duration("wait", Duration.ZERO)));
        assertThat(ConfigSourceTest.<Long>parse("body: 1MiB", n -> n.bytes("body", 0L)))
                .isEqualTo(1L << 20);
        assertEquals(0.05, parse("share: 5%", n -> n.number("share", 0, 0, 1)));
    }

    @Test
    void reportsEveryProblemWithItsPathAndLineAndFix() {
        var e =
                catchThrowableOfType(
                        ConfigException.class,
                        () ->
                                parse(
                                        """
                                        wait: 30
                                        pools:
                                          - name: a
                                            polcy: x
                                          - name: b
                                            weight: -1
                                        """,
                                        n -> {
                                            n.duration("wait", Duration.ZERO);
                                            return n.objects(
                                                    "pools",
                                                    p -> {
                                                        p.string("policy", "");
                                                        p.integer("weight", 1, 0, 100);
                                                        return p.string("name", "");
                                                    });
                                        }));
        assertThat(e.problems())
                .extracting(ConfigProblem::path, ConfigProblem::line)
                .containsExactly(
                        tuple("wait", 1), tuple("pools[0].polcy", 4), tuple("pools[1].weight", 6));
        assertThat(e).hasMessageContaining("did you mean policy?").hasMessageContaining("30s");
    }

    @Test
    void namesTheLineOfASyntaxError() {
        assertThatThrownBy(() -> parse("a: 1\nb: [1, 2\nc: 3\n", n -> n.has("a")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("line ");
    }

    @Test
    void refusesADuplicateKey() {
        assertThatThrownBy(() -> parse("a: 1\na: 2\n", n -> n.has("a")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("line 2");
    }

    @Test
    void replacesVariables() {
        assertEquals("s3cret", parse("key: ${KEY}", n -> n.string("key", "")));
        assertEquals("x", parse("key: ${NONE:-x}", n -> n.string("key", "")));
        assertThatThrownBy(() -> parse("key: ${NONE}", n -> n.string("key", "")))
                .hasMessageContaining("NONE is not set");
    }

    @Test
    void tellsOfAnUnsetVariableOnceWhateverItsFieldNeeds() {
        assertThatThrownBy(
                        () ->
                                parse(
                                        "admin_token: ${NONE}\nsize: ${NONE}",
                                        n -> {
                                            AdminConfig.from(n, "127.0.0.1:0");
                                            return n.integer("size", 1, 1, 9);
                                        }))
                .hasMessageContaining("2 problems")
                .hasMessageContaining("line 1: admin_token: environment variable NONE")
                .hasMessageContaining("line 2: size: environment variable NONE");
    }

    @Test
    void readsListsOfText() {
        assertEquals(List.of("a", "b"), parse("models: [a, b]", n -> n.strings("models")));
    }

    @Test
    void tellsWhatAReaderAsksForAndByWhichDefault() {
        List<ConfigKey> keys =
                ConfigSource.keys(
                        "sluice.yaml",
                        "pools: [{name: a}, {name: b}]",
                        _ -> null,
                        n -> {
                            n.bytes("body", 32L << 20);
                            n.has("tls");
                            n.string("cap", "none");
                            n.integer("cap", 0, 1, 9);
                            return n.objects("pools", p -> p.required("name", "write name: a"));
                        });
        assertThat(keys)
                .extracting(ConfigKey::path, ConfigKey::type, ConfigKey::ifAbsent)
                .containsExactly(
                        tuple("body", "size", "32MiB"),
                        tuple("tls", "", null),
                        tuple("cap", "text or whole number, 1 to 9", "none"),
                        tuple("pools", "sections, a list", null),
                        tuple("pools[].name", "text", "required"));
        assertThat(keys).allMatch(key -> key.reader() == ConfigSourceTest.class);
    }

    @Test
    void showsSizesAsTheyAreRead() {
        for (long size : new long[] {0, 100, 1024, 1 << 20, 3L << 30, (1 << 20) + 1}) {
            assertThat(Units.bytes(Units.show(size))).isEqualTo(size);
        }
    }
}
