package dev.sluice.proxy.request;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TraceContextTest {
    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";

    @Test
    void readsAHeaderAndWritesTheNext() {
        var trace = TraceContext.parse("00-" + TRACE + "-b7ad6b7169203331-01");
        assertThat(trace).isEqualTo(new TraceContext(TRACE, "b7ad6b7169203331", null, true));
        assertThat(trace.under("00f067aa0ba902b7").header())
                .isEqualTo("00-" + TRACE + "-00f067aa0ba902b7-01");
        assertThat(TraceContext.parse("00-" + TRACE + "-b7ad6b7169203331-02").sampled()).isFalse();
    }

    @Test
    void readsLaterVersionsAsThisOne() {
        assertThat(TraceContext.parse("cc-" + TRACE + "-b7ad6b7169203331-01-what-comes"))
                .isNotNull();
        assertThat(TraceContext.parse("cc-" + TRACE + "-b7ad6b7169203331-01")).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "00",
                "00-" + TRACE + "-b7ad6b7169203331",
                "00-" + TRACE + "-b7ad6b7169203331-1",
                "00-" + TRACE + "-b7ad6b7169203331-01-more",
                "cc-" + TRACE + "-b7ad6b7169203331-01.more",
                "ff-" + TRACE + "-b7ad6b7169203331-01",
                "0x-" + TRACE + "-b7ad6b7169203331-01",
                "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                "00-" + TRACE + "-0000000000000000-01",
                "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                "00-" + TRACE + "_b7ad6b7169203331-01",
                "00-" + TRACE + "-b7ad6b716920333g-01",
                "00-" + TRACE + "-b7ad6b7169203331-0g",
            })
    void takesNothingFromAMalformedHeader(String header) {
        assertThat(TraceContext.parse(header)).isNull();
    }
}
