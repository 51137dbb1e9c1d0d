package dev.sluice.proxy.response;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.request.Api;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

class StreamTapTest {
    /// A whole stream of one interface.
    ///
    /// @param opening how many of the events come before the first content
    record Sample(Api api, List<String> events, int opening, int promptTokens, int outputTokens) {
        String text(String lineBreak) {
            var out = new StringBuilder();
            for (String event : events) {
                out.append(event.replace("\n", lineBreak)).append(lineBreak).append(lineBreak);
            }
            return out.toString();
        }

        @Override
        public String toString() {
            return api + " of " + events.size() + " events";
        }
    }

    static Stream<Sample> samples() {
        return Stream.of(
                new Sample(
                        Api.CHAT,
                        List.of(
                                ": ping",
                                "data:"
                                    + " {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}",
                                "data:"
                                    + " {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}]}",
                                "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}",
                                "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}",
                                "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,"
                                        + "\"total_tokens\":9,\"completion_tokens\":2}}",
                                "data: [DONE]"),
                        3,
                        7,
                        2),
                new Sample(
                        Api.CHAT,
                        List.of(
                                "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}",
                                "data: {\"choices\":[{\"delta\":{\"reasoning_content\": \"Hm\"}}]}",
                                "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}",
                                "data:[DONE]"),
                        1,
                        -1,
                        -1),
                new Sample(
                        Api.CHAT,
                        List.of(
                                "data:"
                                    + " {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null,\"tool_calls\":null}}]}",
                                "data:"
                                    + " {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0}]}}]}",
                                "data: [DONE]"),
                        1,
                        -1,
                        -1),
                new Sample(
                        Api.COMPLETIONS,
                        List.of(
                                "data: {\"choices\":[{\"text\":\"\"}]}",
                                "data: {\"choices\":[{\"text\":\"a\"}],\"usage\":null}",
                                "data:"
                                    + " {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}",
                                "data: [DONE]"),
                        1,
                        1,
                        1),
                new Sample(
                        Api.MESSAGES,
                        List.of(
                                "event: message_start\n"
                                        + "data: {\"type\":\"message_start\",\"message\":"
                                        + "{\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}",
                                "event: content_block_start\n"
                                        + "data: {\"type\":\"content_block_start\"}",
                                "event: ping\ndata: {\"type\":\"ping\"}",
                                "event: content_block_delta\n"
                                        + "data: {\"type\":\"content_block_delta\","
                                        + "\"delta\":{\"text\":\"Hi\"}}",
                                "event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":"
                                        + "{\"input_tokens\":9,\"output_tokens\":12}}",
                                "event: message_stop\ndata: {\"type\":\"message_stop\"}"),
                        3,
                        9,
                        12),
                new Sample(
                        Api.RESPONSES,
                        List.of(
                                "event: response.created\ndata: {\"type\":\"response.created\"}",
                                "event: response.output_item.added\ndata: "
                                        + "{\"type\":\"response.output_item.added\"}",
                                "event: response.output_text.delta\n"
                                    + "data: "
                                    + "{\"type\":\"response.output_text.delta\",\"delta\":\"Hi\"}",
                                "event: response.completed\ndata: {\"type\":\"response.completed\","
                                        + "\"response\":{\"usage\":{\"input_tokens\":3,"
                                        + "\"output_tokens\":4}}}"),
                        2,
                        3,
                        4));
    }

    @ParameterizedTest
    @MethodSource("samples")
    void seesTheSameWhereverTheStreamIsSplit(Sample sample) {
        for (String lineBreak : new String[] {"\n", "\r\n"}) {
            String text = sample.text(lineBreak);
            int firstContent = 0;
            for (int i = 0; i <= sample.opening; i++) {
                firstContent = text.indexOf(lineBreak + lineBreak, firstContent) + 2;
            }
            firstContent += 2 * lineBreak.length() - 2;
            for (int split = 0; split <= text.length(); split++) {
                var tap = new StreamTap(sample.api, true, new Tails());
                feed(tap, text.substring(0, split), 1);
                assertThat(tap.contentSeen())
                        .as("%s at %d of %s", sample, split, text)
                        .isEqualTo(split >= firstContent);
                feed(tap, text.substring(split), 2);
                assertThat(tap.firstContentNanos()).isEqualTo(split >= firstContent ? 1 : 2);
                assertWhole(tap, sample);
            }
            int last = sample.events.getLast().length() + 4;
            var tap = new StreamTap(sample.api, true, new Tails());
            for (int i = 0; i < text.length(); i++) {
                assertThat(tap.finished() && i < text.length() - last).isFalse();
                feed(tap, text.substring(i, i + 1), i);
            }
            assertWhole(tap, sample);
            assertThat(tap.firstContentNanos()).isEqualTo(firstContent - 1);
        }
    }

    private static void assertWhole(StreamTap tap, Sample sample) {
        assertThat(tap.finished()).isTrue();
        assertThat(tap.betweenEvents()).isTrue();
        assertThat(tap.eventCount()).isEqualTo(sample.events.size());
        tap.readUsage();
        assertThat(tap.promptTokens()).isEqualTo(sample.promptTokens);
        assertThat(tap.outputTokens()).isEqualTo(sample.outputTokens);
    }

    /// A model may write the very words that end a stream.
    @Test
    void isNotFooledByContentThatReadsLikeAnEnd() {
        assertThat(
                        finished(
                                Api.CHAT,
                                "data: {\"choices\":[{\"delta\":{\"content\":\"data:"
                                        + " [DONE]\"}}]}\n\n"))
                .isFalse();
        assertThat(
                        finished(
                                Api.MESSAGES,
                                "data:"
                                    + " {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"\\\"error\\\""
                                    + " or \\\"message_stop\\\" or message_stop\"}}\n\n"))
                .isFalse();
        assertThat(
                        finished(
                                Api.RESPONSES,
                                "data: {\"type\":\"response.output_text.delta\",\"delta\":\"[DONE]"
                                        + " \\\"response.completed\\\" response.failed\"}\n\n"))
                .isFalse();
        var tap = new StreamTap(Api.CHAT, true, new Tails());
        feed(tap, "data: {\"choices\":[{\"delta\":{\"content\":\"[DONE]\"}}]}\n\n", 5);
        assertThat(tap.contentSeen()).isTrue();
    }

    @Test
    void knowsAStreamCutBeforeItsEnd() {
        assertThat(finished(Api.CHAT, "")).isFalse();
        assertThat(finished(Api.CHAT, "data: {\"choices\":[]}\n\n")).isFalse();
        assertThat(finished(Api.CHAT, "data: [DON")).isFalse();
        assertThat(finished(Api.CHAT, "data: [DONE]\n\n")).isTrue();
        assertThat(finished(Api.RESPONSES, "data: {\"type\":\"response.incomplete\"}\n\n"))
                .isTrue();
        assertThat(finished(Api.MESSAGES, "event: error\ndata: {\"type\":\"error\"}\n\n")).isTrue();
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void takesAnswersThatAreNoStreamAsComplete(Api api) {
        var tap = new StreamTap(api, false, new Tails());
        feed(tap, "{\"usage\":{\"prompt_tokens\": 3,\"completion_tokens\": 4}}", 9);
        assertThat(tap.finished()).isTrue();
        assertThat(tap.contentSeen()).isTrue();
        assertThat(tap.firstContentNanos()).isEqualTo(9);
        tap.readUsage();
        assertThat(tap.promptTokens()).isEqualTo(3);
        assertThat(tap.outputTokens()).isEqualTo(4);
    }

    @Test
    void givesUpWaitingForAnOpeningWithoutEnd() {
        var tap = new StreamTap(Api.CHAT, true, new Tails());
        for (int i = 0; i < 20 && !tap.contentSeen(); i++) {
            feed(tap, "x".repeat(1024), i);
        }
        assertThat(tap.contentSeen()).isTrue();
    }

    @Test
    void findsContentBehindALargeFirstBuffer() {
        var tap = new StreamTap(Api.CHAT, true, new Tails());
        String pings = ": ping\n\n".repeat(5_000);
        feed(tap, pings, 1);
        assertThat(tap.contentSeen()).isFalse();
        feed(tap, "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n", 2);
        assertThat(tap.contentSeen()).isTrue();
        assertThat(tap.firstContentNanos()).isEqualTo(2);
    }

    private static boolean finished(Api api, String text) {
        var tap = new StreamTap(api, true, new Tails());
        feed(tap, text, 1);
        return tap.finished();
    }

    private static void feed(StreamTap tap, String text, long now) {
        ByteBuf in = Unpooled.copiedBuffer("##" + text + "##", StandardCharsets.UTF_8);
        tap.content(in, 2, in.writerIndex() - 2, now);
    }
}
