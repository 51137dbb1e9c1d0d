package dev.sluice.proxy.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;

import dev.sluice.proxy.http.BodyFraming;
import dev.sluice.proxy.http.Violation;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import java.nio.charset.StandardCharsets;

class BodyFramingFuzz {
    /// The content, and the chunked bytes that a relay would write.
    private static final class Relay implements BodyFraming.Sink {
        final StringBuilder content = new StringBuilder();
        final StringBuilder wire = new StringBuilder();

        @Override
        public void chunk(ByteBuf in, int start, int end, long size) {
            if (start >= 0) {
                assertThat(text(in, start, end)).matches("[0-9A-Fa-f]+\r\n");
                assertThat(Long.parseLong(text(in, start, end - 2), 16)).isEqualTo(size);
            }
            wire.append(Long.toHexString(size)).append("\r\n");
        }

        @Override
        public void content(ByteBuf in, int start, int end) {
            content.append(text(in, start, end));
            wire.append(text(in, start, end));
        }

        @Override
        public void chunkEnd(ByteBuf in, int start, int end) {
            wire.append(text(in, start, end));
        }

        private static String text(ByteBuf in, int start, int end) {
            return in.toString(start, end - start, StandardCharsets.ISO_8859_1);
        }
    }

    @FuzzTest(maxDuration = "60s")
    void readsTheSameWhereverTheBodyIsCut(byte[] data) {
        var framing = new BodyFraming();
        framing.chunked();
        var whole = new Relay();
        Violation violation = framing.read(Unpooled.wrappedBuffer(data), whole);

        var framingOfParts = new BodyFraming();
        framingOfParts.chunked();
        var parts = new Relay();
        Violation violationOfParts = null;
        int start = 0;
        for (int end : Splits.of(data)) {
            if (violationOfParts == null) {
                ByteBuf part = Unpooled.wrappedBuffer(data, start, end - start);
                violationOfParts = framingOfParts.read(part, parts);
            }
            start = end;
        }
        assertThat(violationOfParts).isEqualTo(violation);
        assertThat(framingOfParts.done()).isEqualTo(framing.done());
        assertThat(parts.content).hasToString(whole.content.toString());
        assertThat(parts.wire).hasToString(whole.wire.toString());
        if (framing.done()) {
            relaysWhatReadsTheSame(whole);
        }
    }

    private static void relaysWhatReadsTheSame(Relay first) {
        var framing = new BodyFraming();
        framing.chunked();
        var again = new Relay();
        byte[] wire = (first.wire + "0\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1);
        assertThat(framing.read(Unpooled.wrappedBuffer(wire), again)).isNull();
        assertThat(framing.done()).isTrue();
        assertThat(again.content).hasToString(first.content.toString());
    }
}
