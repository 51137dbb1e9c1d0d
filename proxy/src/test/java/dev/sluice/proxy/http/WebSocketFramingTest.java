package dev.sluice.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.HexFormat;

class WebSocketFramingTest {
    private static final long MAX = 1 << 20;

    private static WebSocketFraming fromEngine() {
        return new WebSocketFraming(false, false, MAX);
    }

    private static WebSocketFraming fromClient() {
        return new WebSocketFraming(true, false, MAX);
    }

    private static ByteBuf bytes(String hex) {
        return Unpooled.wrappedBuffer(HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    /// How many bytes may go on.
    private static int passed(WebSocketFraming framing, ByteBuf in) {
        assertThat(framing.read(in)).isNull();
        return in.readerIndex();
    }

    @Test
    void passesWholeFramesAndTheBeginOfPayloads() {
        var framing = fromEngine();
        assertThat(passed(framing, bytes("81 03 61 62 63 82 02 01"))).isEqualTo(8);
        assertThat(framing.betweenFrames()).isFalse();
        assertThat(passed(framing, bytes("02 89 00"))).isEqualTo(3);
        assertThat(framing.betweenFrames()).isTrue();
    }

    @Test
    void holdsTheBeginOfAHeaderBack() {
        assertThat(passed(fromEngine(), bytes("81 01 61 81"))).isEqualTo(3);
        assertThat(passed(fromEngine(), bytes("81 7e 01"))).isZero();
        assertThat(passed(fromEngine(), bytes("81 7f 00000000 000100"))).isZero();
        assertThat(passed(fromClient(), bytes("81 81 00 00 00"))).isZero();
        assertThat(passed(fromClient(), bytes("81 81 00 00 00 00"))).isEqualTo(6);
    }

    @Test
    void holdsACloseFrameUntilItIsWhole() {
        var framing = fromEngine();
        assertThat(passed(framing, bytes("88 02 03"))).isZero();
        assertThat(framing.closed()).isFalse();
        assertThat(passed(framing, bytes("88 02 03 f3 81 01 61"))).isEqualTo(4);
        assertThat(framing.closed()).isTrue();
        assertThat(framing.closeCode()).isEqualTo(1011);
    }

    @Test
    void readsCloseCodes() {
        var masked = fromClient();
        passed(masked, bytes("88 82 01 02 03 04 02 ea"));
        assertThat(masked.closeCode()).isEqualTo(1000);
        var empty = fromEngine();
        passed(empty, bytes("88 00"));
        assertThat(empty.closeCode()).isEqualTo(WebSocketFraming.NO_CODE);
    }

    @ParameterizedTest
    @CsvSource({
        "c1 00, a reserved bit that no extension gave a meaning",
        "83 00, the reserved opcode 3",
        "8b 00, the reserved opcode 11",
        "09 00, a control frame in fragments",
        "89 7e 00 7e, a control frame of more than 125 bytes",
        "80 00, a continuation of nothing",
        "01 01 61 81 00, a new message inside another one",
        "81 80 00 00 00 00, a masked frame",
        "82 7e 00 7d, a length that is not in its shortest form",
        "82 7f 00000000 0000ffff, a length that is not in its shortest form",
        "82 7f ffffffff ffffffff, a length that is not in its shortest form",
    })
    void refuses(String frames, String why) {
        var v = fromEngine().read(bytes(frames));
        assertThat(v).isEqualTo(new Violation(WebSocketFraming.PROTOCOL_ERROR, why));
    }

    @Test
    void refusesUnmaskedFramesOfAClient() {
        assertThat(fromClient().read(bytes("81 00")))
                .isEqualTo(new Violation(1002, "a frame without a mask"));
    }

    @Test
    void leavesWhatStandsBeforeAFaultToBePassedOn() {
        ByteBuf in = bytes("81 01 61 83 00");
        assertThat(fromEngine().read(in)).isNotNull();
        assertThat(in.readerIndex()).isEqualTo(3);
    }

    @Test
    void allowsReservedBitsToExtensions() {
        assertThat(passed(new WebSocketFraming(false, true, MAX), bytes("c1 01 00"))).isEqualTo(3);
    }

    @Test
    void allowsControlFramesInsideAMessage() {
        assertThat(passed(fromEngine(), bytes("01 01 61 89 00 80 01 62 81 00"))).isEqualTo(10);
    }

    @Test
    void countsAMessageOverItsFragments() {
        var framing = new WebSocketFraming(false, false, 3);
        assertThat(passed(framing, bytes("01 02 61 62 80 01 63 81 03 61 62 63"))).isEqualTo(12);
        assertThat(framing.read(bytes("01 02 61 62 80 02"))).isEqualTo(tooBig(3));
        assertThat(new WebSocketFraming(false, false, 3).read(bytes("82 7f 7fffffff ffffffff")))
                .isEqualTo(tooBig(3));
    }

    private static Violation tooBig(long max) {
        return new Violation(WebSocketFraming.TOO_BIG, "a message of more than " + max + " bytes");
    }

    @Test
    void readsTheSameWhereverTheBytesAreSplit() {
        String frames = "01 82 01020304 6063 89 81 00000000 61 80 fe 0080 00000000 ";
        byte[] all =
                HexFormat.of()
                        .parseHex((frames + "00".repeat(128) + "888000000000").replace(" ", ""));
        for (int split = 0; split <= all.length; split++) {
            var framing = fromClient();
            ByteBuf first = Unpooled.wrappedBuffer(all, 0, split);
            assertThat(framing.read(first)).isNull();
            ByteBuf rest =
                    Unpooled.wrappedBuffer(
                            first, Unpooled.wrappedBuffer(all, split, all.length - split));
            assertThat(framing.read(rest)).isNull();
            assertThat(rest.isReadable()).as("%d", split).isFalse();
            assertThat(framing.closeCode()).isEqualTo(WebSocketFraming.NO_CODE);
        }
    }

    @Test
    void writesCloseFramesThatItReads() {
        for (boolean masked : new boolean[] {false, true}) {
            var writing = new WebSocketFraming(masked, false, MAX);
            ByteBuf frame =
                    writing.close(ByteBufAllocator.DEFAULT, 1001, "x".repeat(200), 0x81020304);
            assertThat(writing.closed()).isTrue();
            assertThat(frame.readableBytes()).isEqualTo(2 + (masked ? 4 : 0) + 125);
            var reading = new WebSocketFraming(masked, false, MAX);
            assertThat(reading.read(frame)).isNull();
            assertThat(reading.closeCode()).isEqualTo(1001);
            frame.release();
        }
    }
}
