package dev.sluice.proxy.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;

import dev.sluice.proxy.http.HeadReader;
import dev.sluice.proxy.http.ResponseHead;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import java.nio.charset.StandardCharsets;

class ResponseHeadFuzz {
    @FuzzTest(maxDuration = "60s")
    void whatIsAcceptedReadsTheSameWhenItIsWrittenOn(byte[] data) {
        int size = new HeadReader().find(Unpooled.wrappedBuffer(data));
        var head = new ResponseHead();
        if (size < 0 || head.read(Unpooled.wrappedBuffer(data), size) != null) {
            return;
        }
        assertThat(head.status()).isBetween(100, 999);
        assertThat(head.fields().chunked() && head.fields().contentLength() >= 0).isFalse();
        ByteBuf copy = Unpooled.buffer();
        head.copyStatusLine(copy);
        for (int i = 0; i < head.fields().count(); i++) {
            head.fields().copyLine(i, copy);
        }
        copy.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII));
        var again = new ResponseHead();
        assertThat(again.read(copy, copy.readableBytes())).isNull();
        assertThat(again.status()).isEqualTo(head.status());
        assertThat(again.fields().count()).isEqualTo(head.fields().count());
        assertThat(again.fields().contentLength()).isEqualTo(head.fields().contentLength());
        assertThat(again.fields().chunked()).isEqualTo(head.fields().chunked());
        assertThat(again.fields().close()).isEqualTo(head.fields().close());
    }
}
