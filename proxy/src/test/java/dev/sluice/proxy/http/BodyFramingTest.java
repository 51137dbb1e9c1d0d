package dev.sluice.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

class BodyFramingTest {
    private static final String CHUNKED =
            "5\r\nhello\r\nA;ext=\"v\"\r\n, big worl\r\n001\r\nd\r\n0\r\nX-T: v\r\nX-U:\r\n\r\n";
    private static final String CONTENT = "hello, big world";
    private static final String RELAYED = "5\r\nhello\r\na\r\n, big worl\r\n1\r\nd\r\n";

    /// Collects the content, and the bytes that a relay would send on: size lines as they came or
    /// anew, content, line breaks.
    private static final class Collected implements BodyFraming.Sink {
        final StringBuilder content = new StringBuilder();
        final StringBuilder relayed = new StringBuilder();

        @Override
        public void chunk(ByteBuf in, int start, int end, long size) {
            String line = start < 0 ? "" : text(in, start, end);
            if (start >= 0) {
                assertThat(Long.parseLong(line.strip(), 16)).isEqualTo(size);
                assertThat(line).endsWith("\r\n");
            }
            relayed.append(Long.toHexString(size)).append("\r\n");
        }

        @Override
        public void content(ByteBuf in, int start, int end) {
            content.append(text(in, start, end));
            relayed.append(text(in, start, end));
        }

        @Override
        public void chunkEnd(ByteBuf in, int start, int end) {
            relayed.append(text(in, start, end));
        }

        private static String text(ByteBuf in, int start, int end) {
            return in.toString(start, end - start, StandardCharsets.ISO_8859_1);
        }
    }

    @Test
    void readsTheSameWhereverTheBodyIsSplit() {
        for (int first = 0; first <= CHUNKED.length(); first++) {
            for (int second = first; second <= CHUNKED.length(); second++) {
                var seen = new Collected();
                var framing = new BodyFraming();
                framing.chunked();
                for (String part :
                        List.of(
                                CHUNKED.substring(0, first),
                                CHUNKED.substring(first, second),
                                CHUNKED.substring(second))) {
                    assertThat(framing.read(buffer(part), seen)).isNull();
                }
                assertThat(framing.done()).isTrue();
                assertThat(seen.content).as("%d %d", first, second).hasToString(CONTENT);
                assertThat(seen.relayed).as("%d %d", first, second).hasToString(RELAYED);
            }
        }
    }

    @Test
    void relaysWholeSizeLinesInPlace() {
        var lines = new ArrayList<String>();
        var framing = new BodyFraming();
        framing.chunked();
        BodyFraming.Sink sink =
                new BodyFraming.Sink() {
                    @Override
                    public void chunk(ByteBuf in, int start, int end, long size) {
                        lines.add(
                                start < 0
                                        ? "-"
                                        : in.toString(
                                                start, end - start, StandardCharsets.US_ASCII));
                    }

                    @Override
                    public void content(ByteBuf in, int start, int end) {}

                    @Override
                    public void chunkEnd(ByteBuf in, int start, int end) {}
                };
        assertThat(framing.read(buffer("5\r\nhello\r\n3\r\nabc\r"), sink)).isNull();
        assertThat(framing.read(buffer("\n02\r\nab\r\n1"), sink)).isNull();
        assertThat(framing.read(buffer("0\r\n0123456789abcdef\r\n1;x\r\na\r\n"), sink)).isNull();
        assertThat(framing.read(buffer("1\r\na\r\n"), sink)).isNull();
        assertThat(lines).containsExactly("5\r\n", "3\r\n", "02\r\n", "-", "-", "1\r\n");
    }

    @Test
    void leavesWhatFollowsTheBody() {
        var framing = new BodyFraming();
        framing.chunked();
        ByteBuf in = buffer("1\r\na\r\n0\r\n\r\nGET /");
        assertThat(framing.read(in, new Collected())).isNull();
        assertThat(framing.done()).isTrue();
        assertThat(in.toString(StandardCharsets.US_ASCII)).isEqualTo("GET /");

        framing.length(3);
        in = buffer("abcGET /");
        assertThat(framing.read(in, new Collected())).isNull();
        assertThat(framing.done()).isTrue();
        assertThat(in.toString(StandardCharsets.US_ASCII)).isEqualTo("GET /");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\r\n",
                "g\r\n",
                "-1\r\n",
                "+1\r\n",
                "0x1\r\n",
                " 1\r\n",
                "1 \r\n",
                "1\t\r\n",
                "1\n",
                "1\rx",
                "1\r\na\r\r\n",
                "1\r\nab\r\n",
                "1\r\na\n",
                "1\r\naX\n",
                "1\r\na\rX",
                "1000000000000000\r\n",
                "0000000000000001\r\n",
                ";x\r\n",
                "1;x\n",
                "1;\u0000\r\n",
                "1;\u007f\r\n",
                "1;x\rx",
                "1\u000b\r\n",
                "1\u00b9\r\n",
                "0\r\n\n",
                "0\r\n\rx",
                "0\r\nX\r\n\r\n",
                "0\r\n X: y\r\n\r\n",
                "0\r\nX : y\r\n\r\n",
                "0\r\n: y\r\n\r\n",
                "0\r\nX: y\n\r\n",
                "0\r\nX: y\r\n z\r\n\r\n",
                "0\r\nX: \u0000\r\n\r\n",
                "0\r\nX_Y: z\r\n\r\n",
                "0\r\nContent-Length: 3\r\n\r\n",
                "0\r\ncontent-length: 3\r\n\r\n",
                "0\r\nTransfer-Encoding: chunked\r\n\r\n",
                "0\r\nHost: b\r\n\r\n",
                "0\r\nAuthorization: Bearer x\r\n\r\n",
                "0\r\nProxy-Authorization: x\r\n\r\n",
                "0\r\nX-Api-Key: x\r\n\r\n",
                "0\r\nApi-Key: x\r\n\r\n",
                "0\r\nCookie: x\r\n\r\n",
                "0\r\nContent-Type: x\r\n\r\n",
                "0\r\nTrailer: x\r\n\r\n",
                "0\r\nConnection: x\r\n\r\n",
            })
    void refusesWhereverItIsSplit(String text) {
        for (int split = 0; split < text.length(); split++) {
            var framing = new BodyFraming();
            framing.chunked();
            var seen = new Collected();
            Violation v = framing.read(buffer(text.substring(0, split)), seen);
            if (v == null) {
                v = framing.read(buffer(text.substring(split)), seen);
            }
            assertThat(v).as("%s at %d", text, split).isNotNull();
            assertThat(v.status()).isEqualTo(400);
        }
    }

    @Test
    void boundsExtensionsAndTrailers() {
        assertThat(readChunked("1;" + "x".repeat(4 * 1024 + 1) + "\r\n")).isNotNull();
        assertThat(readChunked("0\r\n" + "X: y\r\n".repeat(2 * 1024))).isNotNull();
        assertThat(readChunked("1;" + "x".repeat(1024) + "\r\na\r\n0\r\nX: y\r\n\r\n")).isNull();
    }

    @Test
    void saysWhetherClosingEndsTheBody() {
        var framing = new BodyFraming();
        framing.untilClose();
        assertThat(framing.read(buffer("anything\r\n0\r\n\r\n"), new Collected())).isNull();
        assertThat(framing.endsWithClose()).isTrue();
        assertThat(framing.done()).isFalse();
        framing.length(5);
        assertThat(framing.read(buffer("four"), new Collected())).isNull();
        assertThat(framing.endsWithClose()).isFalse();
        framing.chunked();
        assertThat(framing.read(buffer("1\r\na\r\n0\r\n"), new Collected())).isNull();
        assertThat(framing.endsWithClose()).isFalse();
    }

    @Test
    void randomBodiesSurviveRandomSplits() {
        var random = new Random(7);
        for (int round = 0; round < 300; round++) {
            var wire = new StringBuilder();
            var expected = new StringBuilder();
            for (int chunks = random.nextInt(6); chunks > 0; chunks--) {
                int size = 1 + random.nextInt(40);
                String data = "\r\n0\r\n\r\n5;".repeat(6).substring(0, size);
                String hex = Integer.toHexString(size);
                wire.append(
                                random.nextBoolean()
                                        ? hex
                                        : "0" + hex.toUpperCase(java.util.Locale.ROOT))
                        .append(random.nextInt(3) == 0 ? ";a=b" : "")
                        .append("\r\n")
                        .append(data)
                        .append("\r\n");
                expected.append(data);
            }
            wire.append("0\r\n\r\n");
            var framing = new BodyFraming();
            framing.chunked();
            var seen = new Collected();
            for (int at = 0; at < wire.length(); ) {
                int end = Math.min(wire.length(), at + 1 + random.nextInt(9));
                assertThat(framing.read(buffer(wire.substring(at, end)), seen)).isNull();
                at = end;
            }
            assertThat(framing.done()).isTrue();
            assertThat(seen.content).hasToString(expected.toString());
        }
    }

    private static Violation readChunked(String text) {
        var framing = new BodyFraming();
        framing.chunked();
        return framing.read(buffer(text), new Collected());
    }

    private static ByteBuf buffer(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1);
    }
}
