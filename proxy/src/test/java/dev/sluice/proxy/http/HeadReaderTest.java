package dev.sluice.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;

class HeadReaderTest {
    private static final String HEAD = "GET /v1/models HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n";

    @Test
    void findsTheSameEndWhereverTheHeadIsSplit() {
        byte[] bytes = (HEAD + "body").getBytes(StandardCharsets.US_ASCII);
        for (int split = 0; split <= bytes.length; split++) {
            var reader = new HeadReader();
            ByteBuf in = Unpooled.buffer().writeBytes(bytes, 0, split);
            int first = reader.find(in);
            if (split < HEAD.length()) {
                assertThat(first).as("%d", split).isEqualTo(HeadReader.INCOMPLETE);
                in.writeBytes(bytes, split, bytes.length - split);
                assertThat(reader.find(in)).as("%d", split).isEqualTo(HEAD.length());
            } else {
                assertThat(first).isEqualTo(HEAD.length());
            }
        }
    }

    @Test
    void findsTheEndByteByByteBehindOtherBytes() {
        byte[] bytes = HEAD.getBytes(StandardCharsets.US_ASCII);
        var reader = new HeadReader();
        ByteBuf in = Unpooled.buffer().writeBytes(new byte[7]);
        in.readerIndex(7);
        for (int i = 0; i < bytes.length - 1; i++) {
            in.writeByte(bytes[i]);
            assertThat(reader.find(in)).isEqualTo(HeadReader.INCOMPLETE);
        }
        in.writeByte('\n');
        assertThat(reader.find(in)).isEqualTo(HEAD.length());
    }

    @Test
    void refusesLongLinesAndHeadsBeforeTheyEnd() {
        assertThat(find("GET /" + "a".repeat(8 * 1024))).isEqualTo(HeadReader.LINE_TOO_LONG);
        assertThat(find("GET /" + "a".repeat(8 * 1024) + " HTTP/1.1\r\n\r\n"))
                .isEqualTo(HeadReader.LINE_TOO_LONG);
        assertThat(find("GET / HTTP/1.1\r\nX: " + "a".repeat(32 * 1024)))
                .isEqualTo(HeadReader.HEAD_TOO_LONG);
        assertThat(find("GET / HTTP/1.1\r\n" + "X: a\r\n".repeat(6 * 1024) + "\r\n"))
                .isEqualTo(HeadReader.HEAD_TOO_LONG);
        assertThat(find("GET / HTTP/1.1\r\nX: " + "a".repeat(31 * 1024) + "\r\n\r\n")).isPositive();
        assertThat(find("\n".repeat(3))).isEqualTo(2);
    }

    @Test
    void startsAnewAfterReset() {
        var reader = new HeadReader();
        ByteBuf in = Unpooled.copiedBuffer(HEAD + HEAD, StandardCharsets.US_ASCII);
        assertThat(reader.find(in)).isEqualTo(HEAD.length());
        in.skipBytes(HEAD.length());
        reader.reset();
        assertThat(reader.find(in)).isEqualTo(HEAD.length());
    }

    private static int find(String text) {
        return new HeadReader().find(Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII));
    }
}
