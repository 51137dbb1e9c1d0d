package dev.sluice.proxy.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;

import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.response.StreamTap;
import dev.sluice.proxy.response.Tails;

import io.netty.buffer.Unpooled;

class StreamTapFuzz {
    private static final Api[] APIS = {Api.CHAT, Api.COMPLETIONS, Api.MESSAGES, Api.RESPONSES};

    private final Tails tails = new Tails();

    @FuzzTest(maxDuration = "60s")
    void seesTheSameWhereverTheStreamIsCut(byte[] data) {
        Api api = APIS[data.length % APIS.length];
        StreamTap whole = new StreamTap(api, true, tails);
        whole.content(Unpooled.wrappedBuffer(data), 0, data.length, 1);
        StreamTap parts = new StreamTap(api, true, tails);
        int start = 0;
        for (int end : Splits.of(data)) {
            parts.content(Unpooled.wrappedBuffer(data), start, end, 1);
            start = end;
        }
        whole.readUsage();
        parts.readUsage();
        assertThat(parts.eventCount()).isEqualTo(whole.eventCount());
        assertThat(parts.finished()).isEqualTo(whole.finished());
        assertThat(parts.betweenEvents()).isEqualTo(whole.betweenEvents());
        assertThat(parts.promptTokens()).isEqualTo(whole.promptTokens());
        assertThat(parts.outputTokens()).isEqualTo(whole.outputTokens());
        whole.close();
        parts.close();
    }
}
