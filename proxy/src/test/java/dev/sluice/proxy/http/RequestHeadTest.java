package dev.sluice.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.charset.StandardCharsets;
import java.util.stream.IntStream;
import java.util.stream.Stream;

class RequestHeadTest {
    private static final String POST = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n";

    static Stream<Arguments> refused() {
        return Stream.of(
                // request line
                row(400, "GET  /v1/models HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models  HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET\t/v1/models HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models\tHTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, " GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1.1 \r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models\r\nHost: a\r\n\r\n"),
                row(400, "GET\r\nHost: a\r\n\r\n"),
                row(400, "\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1.2\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models HTTP/0.9\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models HTTP/2.0\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1.10\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models http/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models Http/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1.1\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1.1\r\nHost: a\n\r\n"),
                row(400, "GET /v1/models HTTP/1.1\r\nHost: a\r\n\n"),
                row(400, "GET /v1/models HTTP/1.1\r\n\n"),
                row(400, "GET /v1/models HTTP/1.1\n\n"),
                row(400, "GET /v1/models HTTP/1.1\r\r\nHost: a\r\n\r\n"),
                row(501, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
                row(501, "TRACE /v1/models HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(501, "get /v1/models HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(501, "PRI * HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "PRI * HTTP/2.0\r\n\r\n"),
                // target
                row(400, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET a/v1 HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET http://u@a/v1/models HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET http://u:p@a/v1/models HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET http://b/v1/models HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET http://a:81/v1/models HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET http:///v1/models HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET ftp://a/v1/models HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET http://a?x HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models#x HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models?a#x HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/mod\u00e9ls HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/mod\u0080ls HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/mod\u0000els HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/mod\u007fels HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/../admin HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/%2E%2e/admin HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/. HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/.. HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET //v1/models HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1//models HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/x%2fy HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/x%5Cy HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1\\..\\admin HTTP/1.1\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
                // host
                row(400, "GET /v1/models HTTP/1.1\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1.0\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1.1\r\nHost:\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1.1\r\nHost: a b\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1.1\r\nHost: a,b\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1.1\r\nHost: u@a\r\n\r\n"),
                row(400, "GET /v1/models HTTP/1.1\r\nHost: a/b\r\n\r\n"),
                // fields
                row(400, POST + "X-A : b\r\n\r\n"),
                row(400, POST + "X-A\t: b\r\n\r\n"),
                row(400, POST + ": b\r\n\r\n"),
                row(400, POST + "X-A\r\n\r\n"),
                row(400, POST + "X_A: b\r\n\r\n"),
                row(400, POST + "Content_Length: 3\r\n\r\n"),
                row(400, POST + "X(A: b\r\n\r\n"),
                row(400, POST + "X\u00e9: b\r\n\r\n"),
                row(400, POST + "X-A: b\r\n c\r\n\r\n"),
                row(400, POST + "X-A: b\r\n\tc\r\n\r\n"),
                row(400, POST + "X-A: b\nX-B: c\r\n\r\n"),
                row(400, POST + "X-A: b\rX-B: c\r\n\r\n"),
                row(400, POST + "X-A: b\r\r\n\r\n"),
                row(400, POST + "X-A: \u0000\r\n\r\n"),
                row(400, POST + "X-A: \u007f\r\n\r\n"),
                row(400, "POST /v1/x HTTP/1.1\r\n Host: a\r\n\r\n"),
                // content-length
                row(400, POST + "Content-Length: 003\r\n\r\n"),
                row(400, POST + "Content-Length: 00\r\n\r\n"),
                row(400, POST + "Content-Length: +3\r\n\r\n"),
                row(400, POST + "Content-Length: -3\r\n\r\n"),
                row(400, POST + "Content-Length: 3, 3\r\n\r\n"),
                row(400, POST + "Content-Length: 3 3\r\n\r\n"),
                row(400, POST + "Content-Length: 0x3\r\n\r\n"),
                row(400, POST + "Content-Length: 3.0\r\n\r\n"),
                row(400, POST + "Content-Length:\r\n\r\n"),
                row(400, POST + "Content-Length: 9999999999999999999\r\n\r\n"),
                row(400, POST + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n"),
                row(400, POST + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n"),
                row(400, POST + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
                row(400, POST + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"),
                row(400, POST + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
                // transfer-encoding
                row(501, POST + "Transfer-Encoding: gzip\r\n\r\n"),
                row(501, POST + "Transfer-Encoding: gzip, chunked\r\n\r\n"),
                row(501, POST + "Transfer-Encoding: chunked, gzip\r\n\r\n"),
                row(501, POST + "Transfer-Encoding: chunked, chunked\r\n\r\n"),
                row(501, POST + "Transfer-Encoding: ,chunked\r\n\r\n"),
                row(501, POST + "Transfer-Encoding: chunked,\r\n\r\n"),
                row(501, POST + "Transfer-Encoding: identity\r\n\r\n"),
                row(501, POST + "Transfer-Encoding: xchunked\r\n\r\n"),
                row(501, POST + "Transfer-Encoding: chunked;q=1\r\n\r\n"),
                row(501, POST + "Transfer-Encoding: \"chunked\"\r\n\r\n"),
                row(501, POST + "Transfer-Encoding:\r\n\r\n"),
                row(400, POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
                row(400, "POST /v1/x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
                // bodies where none belongs
                row(400, "GET /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"),
                row(400, "HEAD /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"),
                row(400, "OPTIONS /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"),
                row(400, "GET /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
                row(400, "HEAD /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
                // upgrades and expectations
                row(400, POST + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
                row(400, POST + "Upgrade: websocket, H2C\r\n\r\n"),
                row(400, POST + "Upgrade: websocket\r\nUpgrade: h2c\r\n\r\n"),
                row(400, POST + "HTTP2-Settings: AAMAAABkAAQ\r\n\r\n"),
                row(417, POST + "Expect: 200-ok\r\n\r\n"),
                row(417, POST + "Expect: 100-continue, x\r\n\r\n"),
                row(417, POST + "Expect: 100-continue\r\nExpect: x\r\n\r\n"),
                row(431, POST + "X-A: b\r\n".repeat(100) + "\r\n"));
    }

    private static Arguments row(int status, String head) {
        return Arguments.of(status, head);
    }

    @ParameterizedTest
    @MethodSource("refused")
    void refuses(int status, String text) {
        Violation v = read(new RequestHead(), text);

        assertThat(v).as(text).isNotNull();
        assertThat(v.status()).as(text + v).isEqualTo(status);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /v1/models HTTP/1.0\r\nHost: a\r\n\r\n",
                "GET /v1/models?x=/../%00\\ HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /v1/..x/.y/z.. HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET http://A:80/v1/models HTTP/1.1\r\nHost: a:80\r\n\r\n",
                "GET /v1/models HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
                "GET /v1/models HTTP/1.1\r\nHost: my_proxy:8080\r\n\r\n",
                "GET /v1/models HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
                "POST /v1/x HTTP/1.1\r\nhOST: a\r\ncontent-LENGTH: 3\r\n\r\n",
                "POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length:3\r\n\r\n",
                "POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: \t 3\t \r\n\r\n",
                "POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                "POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
                "POST /v1/x HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n",
                "POST /v1/x HTTP/1.1\r\nHost: a\r\nX-Empty:\r\n\r\n",
                "POST /v1/x HTTP/1.1\r\nHost: a\r\nX-Latin: \u00e9\r\n\r\n",
            })
    void accepts(String text) {
        assertThat(read(new RequestHead(), text)).as(text).isNull();
    }

    @Test
    void takesNinetyNineFieldsBesideHost() {
        assertThat(read(new RequestHead(), POST + "X-A: b\r\n".repeat(99) + "\r\n")).isNull();
    }

    /// A control byte before, in, and after the value, and in the name, of each framing field.
    static Stream<Arguments> controls() {
        return Stream.of("Transfer-Encoding: chunked", "Content-Length: 3")
                .flatMap(
                        field -> {
                            int colon = field.indexOf(':');
                            return Stream.of(0, colon, colon + 2, field.length())
                                    .flatMap(
                                            at ->
                                                    IntStream.concat(
                                                                    IntStream.rangeClosed(0, 0x20),
                                                                    IntStream.rangeClosed(
                                                                            0x7f, 0xff))
                                                            .mapToObj(
                                                                    c ->
                                                                            Arguments.of(
                                                                                    field, at, c)));
                        });
    }

    @Test
    void refusesControlBytesAroundFramingFields() {
        controls()
                .forEach(
                        row -> {
                            String field = (String) row.get()[0];
                            int at = (int) row.get()[1];
                            char c = (char) (int) row.get()[2];
                            boolean space = (c == ' ' || c == '\t') && at > field.indexOf(':');
                            String line = field.substring(0, at) + c + field.substring(at);
                            Violation v = read(new RequestHead(), POST + line + "\r\n\r\n");
                            if (space) {
                                assertThat(v).as("0x%02x at %d of %s", (int) c, at, field).isNull();
                            } else {
                                assertThat(v)
                                        .as("0x%02x at %d of %s", (int) c, at, field)
                                        .isNotNull();
                                assertThat(v.status()).isIn(400, 501);
                            }
                        });
    }

    @Test
    void forgetsThePreviousRequest() {
        var head = new RequestHead();
        String first =
                POST + "Connection: close, x-b\r\nX-B: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
        assertThat(read(head, first)).isNull();
        assertThat(head.keepAlive()).isFalse();
        assertThat(head.hasBody()).isTrue();
        assertThat(head.fields().nominated(2)).isTrue();

        assertThat(read(head, "HEAD /v1/models?x HTTP/1.1\r\nHost: a\r\nX-B: 1\r\n\r\n")).isNull();
        assertThat(head.keepAlive()).isTrue();
        assertThat(head.hasBody()).isFalse();
        assertThat(head.isHead()).isTrue();
        assertThat(head.path()).isEqualTo("/v1/models");
        assertThat(head.fields().nominated(1)).isFalse();
        assertThat(head.fields().count()).isEqualTo(2);

        assertThat(read(head, "nonsense\r\n\r\n")).isNotNull();
        assertThat(head.isHead()).isFalse();
    }

    @Test
    void keepsNothingOfALargeHead() {
        var head = new RequestHead();
        String large = POST + "X-A: " + "a".repeat(20_000) + "\r\n\r\n";
        assertThat(read(head, large)).isNull();
        assertThat(head.fields().value("x-a")).hasSize(20_000);
        assertThat(read(head, POST + "\r\n")).isNull();
        assertThat(head.fields().bytes.length).isLessThanOrEqualTo(4096);
    }

    @Test
    void copiesTheTargetWithoutTheAuthority() {
        var head = new RequestHead();
        assertThat(read(head, "GET http://a/v1/x?y=z HTTP/1.1\r\nHost: a\r\n\r\n")).isNull();
        var out = Unpooled.buffer();
        head.copyTarget(out);
        assertThat(out.toString(StandardCharsets.US_ASCII)).isEqualTo("/v1/x?y=z");
    }

    @Test
    void http10KeepsTheConnectionOnlyWhenAsked() {
        var head = new RequestHead();
        assertThat(read(head, "GET /v1/x HTTP/1.0\r\nHost: a\r\n\r\n")).isNull();
        assertThat(head.keepAlive()).isFalse();
        assertThat(read(head, "GET /v1/x HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n"))
                .isNull();
        assertThat(head.keepAlive()).isTrue();
    }

    private static Violation read(RequestHead head, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        return head.read(Unpooled.wrappedBuffer(bytes), bytes.length);
    }
}
