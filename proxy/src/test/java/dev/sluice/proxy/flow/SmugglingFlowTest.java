package dev.sluice.proxy.flow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.flow.RawClient.Response;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;

/// Two requests in one, by framing that two programs read in two ways: each attempt is refused, the
/// connection closed, and the origin never sees the hidden request.
///
/// The named mutations follow James Kettle's "HTTP Desync Attacks" and its successors.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends lines with CRLF
class SmugglingFlowTest {
    private static final String HIDDEN =
            "POST /v1/hidden HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\n{\"model\":\"m\"}";

    private final Origin origin = new Origin();
    private Rig rig;

    SmugglingFlowTest() throws IOException {}

    @BeforeAll
    void start() throws IOException {
        rig = Rig.of("", origin);
    }

    @AfterAll
    void close() throws Exception {
        rig.close();
        origin.close();
    }

    /// Framing fields, each beside `Content-Length: 5`, `Transfer-Encoding: chunked` or alone.
    enum Mutation {
        CL_TE(400, "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        TE_CL(400, "Transfer-Encoding: chunked\r\nContent-Length: 5"),
        CL_CL_EQUAL(400, "Content-Length: 5\r\nContent-Length: 5"),
        CL_CL_DIFFERENT(400, "Content-Length: 5\r\nContent-Length: 50"),
        CL_LIST(400, "Content-Length: 5, 5"),
        CL_LEADING_ZERO(400, "Content-Length: 005"),
        CL_PLUS(400, "Content-Length: +5"),
        CL_MINUS(400, "Content-Length: -5"),
        CL_HEX(400, "Content-Length: 0x5"),
        CL_EMPTY(400, "Content-Length:"),
        CL_SPACE_INSIDE(400, "Content-Length: 5 0"),
        CL_SPACE_BEFORE_COLON(400, "Content-Length : 5"),
        CL_UNDERSCORE(400, "Content_Length: 5"),
        CL_OVERFLOW(400, "Content-Length: 18446744073709551621"),
        CL_FOLDED(400, "Content-Length:\r\n 5"),
        CL_OTHER_DIGITS(400, "Content-Length: \u00b5"),
        TE_SPACE_BEFORE_COLON(400, "Transfer-Encoding : chunked"),
        TE_TAB_BEFORE_COLON(400, "Transfer-Encoding\t: chunked"),
        TE_UNDERSCORE(400, "Transfer_Encoding: chunked"),
        TE_LEADING_SPACE(400, "X: y\r\n Transfer-Encoding: chunked"),
        TE_FOLDED_VALUE(501, "Transfer-Encoding:\r\n chunked"),
        TE_FOLDED_TAB(501, "Transfer-Encoding:\r\n\tchunked"),
        TE_BARE_LF(400, "X: y\nTransfer-Encoding: chunked"),
        TE_BARE_CR(400, "X: y\rTransfer-Encoding: chunked"),
        TE_LF_BEFORE_VALUE(400, "Transfer-Encoding:\nchunked"),
        TE_NUL_AFTER(400, "Transfer-Encoding: chunked\0"),
        TE_VT_BEFORE(400, "Transfer-Encoding: \u000bchunked"),
        TE_FF_AFTER(400, "Transfer-Encoding: chunked\f"),
        TE_NEL_BEFORE(501, "Transfer-Encoding: \u0085chunked"),
        TE_NBSP_BEFORE(501, "Transfer-Encoding: \u00a0chunked"),
        TE_QUOTED(501, "Transfer-Encoding: \"chunked\""),
        TE_SINGLE_QUOTED(501, "Transfer-Encoding: 'chunked'"),
        TE_LIST_BEFORE(501, "Transfer-Encoding: identity, chunked"),
        TE_LIST_AFTER(501, "Transfer-Encoding: chunked, identity"),
        TE_COMMA_FIRST(501, "Transfer-Encoding: ,chunked"),
        TE_COMMA_LAST(501, "Transfer-Encoding: chunked,"),
        TE_TWICE_IN_ONE(501, "Transfer-Encoding: chunked, chunked"),
        TE_TWICE(400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        TE_TWICE_DIFFERENT(400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: x"),
        TE_PREFIXED(501, "Transfer-Encoding: xchunked"),
        TE_SUFFIXED(501, "Transfer-Encoding: chunkedx"),
        TE_PARAMETER(501, "Transfer-Encoding: chunked;q=1"),
        TE_COW(501, "Transfer-Encoding: cow"),
        TE_EMPTY(501, "Transfer-Encoding:"),
        TE_NAME_WITH_CONTROL(400, "Transfer-Encoding\u0001: chunked"),
        TE_NAME_8BIT(400, "\u00a0Transfer-Encoding: chunked"),
        TE_NO_COLON(400, "Transfer-Encoding chunked"),
        EXPECT_OTHER(417, "Expect: 100-continued\r\nContent-Length: 5"),
        UPGRADE_H2C(
                400, "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: 5"),
        HOST_TWICE(400, "Host: b\r\nContent-Length: 5");

        private final int status;
        private final String fields;

        Mutation(int status, String fields) {
            this.status = status;
            this.fields = fields;
        }
    }

    @ParameterizedTest
    @EnumSource(Mutation.class)
    void refuses(Mutation mutation) throws IOException {
        int before = origin.calls().size();
        try (RawClient client = new RawClient(rig.port())) {
            client.send(
                    "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n"
                            + mutation.fields
                            + "\r\n\r\n0\r\n\r\n"
                            + HIDDEN);
            Response response = client.read();
            assertThat(response.status()).isEqualTo(mutation.status);
            assertThat(response.header("connection")).isEqualTo("close");
            client.assertClosed();
        }
        assertThat(origin.calls()).hasSize(before);
    }

    /// Chunked bodies whose framing is wrong: the request may have been begun, never a second one.
    enum Chunks {
        SIZE_WITH_SPACE("5 \r\n"),
        SIZE_WITH_PREFIX("0x5\r\n"),
        SIZE_NEGATIVE("-1\r\n"),
        SIZE_OVERFLOW("10000000000000005\r\n"),
        SIZE_BARE_LF("5\n"),
        SIZE_BARE_CR("5\rx"),
        EXTENSION_BARE_LF("5;a\n"),
        EXTENSION_NUL("5;\0\r\n"),
        DATA_TOO_LONG("1\r\nabc\r\n"),
        DATA_END_LF("1\r\n{\n0\r\n\r\n"),
        TRAILER_CL("0\r\nContent-Length: 5\r\n\r\n"),
        TRAILER_TE("0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        TRAILER_HOST("0\r\nHost: b\r\n\r\n"),
        TRAILER_AUTH("0\r\nAuthorization: Bearer x\r\n\r\n"),
        TRAILER_BARE_LF("0\r\nX: y\n\r\n"),
        END_BARE_LF("0\r\n\n");

        private final String body;

        Chunks(String body) {
            this.body = body;
        }
    }

    @ParameterizedTest
    @EnumSource(Chunks.class)
    void refusesChunks(Chunks chunks) throws IOException {
        int before = origin.calls().size();
        try (RawClient client = new RawClient(rig.port())) {
            client.send(
                    "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n"
                            + "Transfer-Encoding: chunked\r\n\r\n"
                            + chunks.body
                            + HIDDEN);
            Response response = client.read();
            assertThat(response.status()).isEqualTo(400);
            client.assertClosed();
        }
        assertThat(origin.calls()).hasSize(before);
    }

    /// Every control byte before and in and after the name and the value.
    @Test
    void refusesEveryControlByteInTransferEncoding() throws IOException {
        String name = "Transfer-Encoding";
        for (int position = 0; position < 4; position++) {
            for (int c = 0; c < 0x21; c++) {
                char at = (char) c;
                String field =
                        switch (position) {
                            case 0 -> at + name + ": chunked";
                            case 1 -> name + at + ": chunked";
                            case 2 -> name + ":" + at + "chunked";
                            default -> name + ": chunked" + at;
                        };
                if (position >= 2 && (at == ' ' || at == '\t')) {
                    continue;
                }
                refused(field, "0x" + Integer.toHexString(c) + " at " + position);
            }
            refused(
                    switch (position) {
                        case 0 -> "\u007f" + name + ": chunked";
                        case 1 -> name + "\u007f: chunked";
                        case 2 -> name + ":\u007fchunked";
                        default -> name + ": chunked\u007f";
                    },
                    "DEL at " + position);
        }
    }

    private void refused(String field, String what) throws IOException {
        int before = origin.calls().size();
        try (RawClient client = new RawClient(rig.port())) {
            client.send(
                    "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n"
                            + field
                            + "\r\n\r\n0\r\n\r\n"
                            + HIDDEN);
            // A lone LF ends no line, so the proxy may still wait for the rest of the head.
            client.shutdownOutput();
            Response response = client.read();
            assertThat(response.status()).as(what).isIn(400, 501);
            client.assertClosed();
        }
        assertThat(origin.calls()).as(what).hasSize(before);
    }
}
