package dev.sluice.proxy.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.discovery.Lookup.Answer;

import org.junit.jupiter.api.Test;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;

/// Which of a resolver's answers count.
class BelievedTest {
    private static final Answer FAILED = new Answer.Failed("try again");
    private static final Answer NONE = new Answer.None("not known");

    @Test
    void believesAddressesAtOnceInOneOrder() {
        Believed now = after(addresses("10.0.0.2", "10.0.0.1", "10.0.0.2"));
        assertThat(text(now)).containsExactly("10.0.0.1", "10.0.0.2");
        assertThat(now.problem()).isEmpty();
        assertThat(after(addresses("10.0.0.1", "10.0.0.2")).addresses()).isEqualTo(now.addresses());
    }

    @Test
    void keepsWhatItKnowsWhenNobodyAnswers() {
        Believed now = after(addresses("10.0.0.1"), FAILED, FAILED, FAILED, FAILED, FAILED);
        assertThat(text(now)).containsExactly("10.0.0.1");
        assertThat(now.problem()).isEqualTo("try again");
    }

    @Test
    void believesInNothingOnlyTheThirdTimeInARow() {
        assertThat(text(after(addresses("10.0.0.1"), NONE, addresses()))).hasSize(1);
        assertThat(text(after(addresses("10.0.0.1"), NONE, NONE, FAILED, NONE))).isEmpty();
        assertThat(text(after(addresses("10.0.0.1"), NONE, NONE, addresses("10.0.0.1"), NONE)))
                .hasSize(1);
        assertThat(after(addresses("10.0.0.1"), NONE).problem()).isEqualTo("not known");
    }

    @Test
    void countsAHostOfTwoFamiliesOnce() {
        assertThat(text(after(addresses("fd00::1", "10.0.0.1")))).containsExactly("10.0.0.1");
        assertThat(text(after(addresses("fd00::1")))).containsExactly("fd00:0:0:0:0:0:0:1");
    }

    private static Believed after(Answer... answers) {
        Believed now = Believed.NOTHING_YET;
        for (Answer answer : answers) {
            now = now.after(answer);
        }
        return now;
    }

    private static Answer addresses(String... literals) {
        return new Answer.Addresses(Arrays.stream(literals).map(InetAddress::ofLiteral).toList());
    }

    private static List<String> text(Believed believed) {
        return believed.addresses().stream().map(InetAddress::getHostAddress).toList();
    }
}
