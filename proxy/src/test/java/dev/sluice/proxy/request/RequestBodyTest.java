package dev.sluice.proxy.request;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;

import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;

class RequestBodyTest {
    private final HeldBodies held = new HeldBodies(1 << 20);

    private static final String BODY =
            "{ \"a\":\"\u00e9\", \"model\" :\"fa\\u0073t\",\"z\":[1,2] }";

    @Test
    void renamesTheModelAndNothingElseWhereverTheBodyIsSplit() {
        byte[] bytes = BODY.getBytes(StandardCharsets.UTF_8);
        for (int split = 0; split <= bytes.length; split++) {
            var body = new RequestBody(true, held.share());
            assertThat(body.append(part(bytes, 0, split))).isNull();
            assertThat(body.append(part(bytes, split, bytes.length))).isNull();
            assertThat(body.complete()).isNull();

            body.rename("meta/\"llama\"", ByteBufAllocator.DEFAULT);

            String renamed = BODY.replace("fa\\u0073t", "meta/\\\"llama\\\"");
            assertThat(text(body)).isEqualTo(renamed);
            assertThat(body.size()).isEqualTo(renamed.getBytes(StandardCharsets.UTF_8).length);
            assertThat(body.growth()).isEqualTo(renamed.length() - BODY.length());
            body.release();
        }
    }

    @Test
    void writesNamesThatJsonHasToEscape() throws Exception {
        var body = new RequestBody(true, held.share());
        byte[] bytes = BODY.getBytes(StandardCharsets.UTF_8);
        assertThat(body.append(part(bytes, 0, bytes.length))).isNull();
        assertThat(body.complete()).isNull();
        String name = "tab\tnewline\n\"quote\\";
        body.rename(name, ByteBufAllocator.DEFAULT);
        assertThat(JsonMapper.builder().build().readTree(text(body)).get("model").textValue())
                .isEqualTo(name);
        body.release();
    }

    @Test
    void cannotBeSentAgainOnceLetGo() {
        var body = new RequestBody(true, held.share());
        assertThat(body.append(part("{}".getBytes(StandardCharsets.UTF_8), 0, 2))).isNull();
        assertThat(body.replayable()).isFalse();
        assertThat(body.complete()).isNull();
        assertThat(body.replayable()).isTrue();
        body.release();
        assertThat(body.replayable()).isFalse();
        assertThat(body.size()).isEqualTo(2);
        assertThat(body.kept()).isZero();
    }

    @Test
    void takesAnythingWhenItIsNotJson() {
        var body = new RequestBody(false, held.share());
        assertThat(body.append(part("--x".getBytes(StandardCharsets.UTF_8), 0, 3))).isNull();
        assertThat(body.complete()).isNull();
        body.release();
    }

    private static ByteBuf part(byte[] bytes, int from, int to) {
        return Unpooled.copiedBuffer(bytes, from, to - from);
    }

    private static String text(RequestBody body) {
        ByteBuf out = Unpooled.buffer();
        body.copyTo(out);
        return out.toString(StandardCharsets.UTF_8);
    }
}
