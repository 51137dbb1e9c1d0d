package dev.sluice.proxy.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;

import dev.sluice.proxy.http.Field;
import dev.sluice.proxy.http.Fields;
import dev.sluice.proxy.http.HeadReader;
import dev.sluice.proxy.http.RequestHead;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import java.nio.charset.StandardCharsets;

class RequestHeadFuzz {
    @FuzzTest(maxDuration = "60s")
    void whatIsAcceptedCannotBeReadInTwoWays(byte[] data) {
        int size = new HeadReader().find(Unpooled.wrappedBuffer(data));
        assertThat(foundInParts(data)).isEqualTo(size);
        if (size < 0) {
            return;
        }
        var head = new RequestHead();
        if (head.read(Unpooled.wrappedBuffer(data), size) != null) {
            return;
        }
        Fields fields = head.fields();
        assertThat(fields.chunked() && fields.contentLength() >= 0).isFalse();
        int hosts = 0;
        for (int i = 0; i < fields.count(); i++) {
            assertThat(fields.name(i)).matches("[!#$%&'*+.^`|~0-9A-Za-z-]+");
            assertThat(fields.value(i)).doesNotContainPattern("[\\x00-\\x08\\x0a-\\x1f\\x7f]");
            assertThat(fields.value(i)).isEqualTo(fields.value(i).strip());
            hosts += fields.kind(i) == Field.HOST ? 1 : 0;
        }
        assertThat(hosts).isEqualTo(1);
        assertThat(head.path()).startsWith("/").doesNotContainPattern("[^!-~]|/\\.\\./|//|#");
        ByteBuf target = Unpooled.buffer();
        head.copyTarget(target);
        String copied = target.toString(StandardCharsets.ISO_8859_1);
        assertThat(copied)
                .isEqualTo(head.path() + (copied.contains("?") ? "?" : "") + head.query());
        if (head.hasBody()) {
            assertThat(head.method()).isNotIn("GET", "HEAD", "OPTIONS");
        }
    }

    private static int foundInParts(byte[] data) {
        var reader = new HeadReader();
        int found = HeadReader.INCOMPLETE;
        for (int end : Splits.of(data)) {
            found = reader.find(Unpooled.wrappedBuffer(data, 0, end));
            if (found != HeadReader.INCOMPLETE) {
                return found;
            }
        }
        return found;
    }
}
