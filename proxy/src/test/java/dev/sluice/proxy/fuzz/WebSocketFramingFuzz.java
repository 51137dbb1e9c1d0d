package dev.sluice.proxy.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;

import dev.sluice.proxy.http.Violation;
import dev.sluice.proxy.http.WebSocketFraming;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

class WebSocketFramingFuzz {
    private static final long MAX_MESSAGE = 1000;

    @FuzzTest(maxDuration = "60s")
    void passesTheSameWhereverTheBytesAreCut(byte[] data) {
        boolean masked = data.length % 2 == 0;
        var whole = new WebSocketFraming(masked, false, MAX_MESSAGE);
        ByteBuf all = Unpooled.wrappedBuffer(data);
        Violation violation = whole.read(all);

        var parts = new WebSocketFraming(masked, false, MAX_MESSAGE);
        Violation violationOfParts = null;
        int passed = 0;
        for (int end : Splits.of(data)) {
            if (violationOfParts == null) {
                ByteBuf part = Unpooled.wrappedBuffer(data, passed, end - passed);
                violationOfParts = parts.read(part);
                passed += part.readerIndex();
            }
        }
        assertThat(violationOfParts).isEqualTo(violation);
        assertThat(passed).isEqualTo(all.readerIndex());
        assertThat(parts.betweenFrames()).isEqualTo(whole.betweenFrames());
        assertThat(parts.closeCode()).isEqualTo(whole.closeCode());
        if (violation == null && !whole.closed()) {
            assertThat(all.readableBytes()).as("held back").isLessThan(14 + 125);
        }
    }
}
