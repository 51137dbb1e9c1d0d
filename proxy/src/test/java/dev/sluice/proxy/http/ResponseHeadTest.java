package dev.sluice.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.charset.StandardCharsets;

class ResponseHeadTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 20 OK\r\n\r\n",
                "HTTP/1.1 2000 OK\r\n\r\n",
                "HTTP/1.1  200 OK\r\n\r\n",
                "HTTP/1.1\t200 OK\r\n\r\n",
                "HTTP/1.1 2x0 OK\r\n\r\n",
                "HTTP/1.1 099 OK\r\n\r\n",
                "HTTP/2.0 200 OK\r\n\r\n",
                "HTTP/1.2 200 OK\r\n\r\n",
                "http/1.1 200 OK\r\n\r\n",
                "ICY 200 OK\r\nX-A: b\r\n\r\n",
                "HTTP/1.1 200 OK\n\r\n",
                "HTTP/1.1 200 O\rK\r\n\r\n",
                "HTTP/1.1 200 O\u0000K\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 03\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\n\r\n",
                "HTTP/1.1 200 OK\r\nX-A : b\r\n\r\n",
                "HTTP/1.1 200 OK\r\nX-A: b\nX-B: c\r\n\r\n",
                "HTTP/1.1 200 OK\r\nX-A: b\rX-B: c\r\n\r\n",
            })
    void refuses(String text) {
        assertThat(read(new ResponseHead(), text)).as(text).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\n\r\n",
                "HTTP/1.1 200 \r\n\r\n",
                "HTTP/1.1 200\r\n\r\n",
                "HTTP/1.1 200 Tr\u00e8s bien\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n",
                "HTTP/1.1 200 OK\r\nx_compute_type: cpu\r\n\r\n",
            })
    void accepts(String text) {
        var head = new ResponseHead();
        assertThat(read(head, text)).as(text).isNull();
        assertThat(head.status()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({
        "200,false,false",
        "200,true,true",
        "204,false,true",
        "304,false,true",
        "103,false,true",
        "404,false,false"
    })
    void knowsWhatHasNoBody(int status, boolean head, boolean bodyless) {
        var response = new ResponseHead();
        assertThat(read(response, "HTTP/1.1 " + status + " x\r\n\r\n")).isNull();
        assertThat(response.bodyless(head)).isEqualTo(bodyless);
    }

    @Test
    void writesHttp10StatusLinesAsHttp11() {
        var head = new ResponseHead();
        assertThat(read(head, "HTTP/1.0 418 I'm a teapot\r\nX-A: b\r\n\r\n")).isNull();
        var out = Unpooled.buffer();
        head.copyStatusLine(out);
        assertThat(out.toString(StandardCharsets.US_ASCII))
                .isEqualTo("HTTP/1.1 418 I'm a teapot\r\n");
        assertThat(head.keepAlive()).isFalse();
    }

    private static Violation read(ResponseHead head, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        return head.read(Unpooled.wrappedBuffer(bytes), bytes.length);
    }
}
