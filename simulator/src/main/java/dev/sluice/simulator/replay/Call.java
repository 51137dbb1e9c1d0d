package dev.sluice.simulator.replay;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One call of a replay: reads its answer as it comes and ends exactly once.
final class Call {
    private static final int EXAMPLE_CHARS = 300;
    private static final int MOST_LINE = 1 << 20;
    private static final Pattern CONTENT =
            Pattern.compile("\"(?:content|text|arguments|reasoning_content)\"\\s*:\\s*\"(?!\")");
    private static final Pattern NUMBER =
            Pattern.compile("\"(prompt_tokens|completion_tokens|cached_tokens)\"\\s*:\\s*(\\d+)");

    private final Tally tally;
    private final byte[] body;
    private final long intendedNanos;
    private final int leaveAfter;
    private final StringBuilder line = new StringBuilder();

    private @Nullable Future<?> timeout;
    private int status;
    private int tokens;
    private long lastTokenNanos;
    private boolean done;
    private @Nullable String streamError;
    private boolean ended;

    /// @param leaveAfter tokens after which the client leaves, or 0 to stay
    Call(Tally tally, byte[] body, long intendedNanos, int leaveAfter) {
        this.tally = tally;
        this.body = body;
        this.intendedNanos = intendedNanos;
        this.leaveAfter = leaveAfter;
    }

    byte[] body() {
        return body;
    }

    boolean ended() {
        return ended;
    }

    void timeout(Future<?> timer) {
        timeout = timer;
    }

    void sent(long nowNanos) {
        tally.sent(nowNanos - intendedNanos);
    }

    /// The status line and headers are here; `endpoint` is who says to have answered.
    void head(int code, String endpoint) {
        status = code;
        tally.answeredBy(endpoint);
    }

    /// Body bytes.
    void bytes(byte[] part, long nowNanos) {
        for (byte b : part) {
            if (b != '\n' && line.length() < MOST_LINE) {
                line.append((char) (b & 0xff));
            } else if (b == '\n') {
                line(line.toString(), nowNanos);
                line.setLength(0);
            }
        }
    }

    /// Whether the client wants to go now.
    boolean leaves() {
        return leaveAfter > 0 && tokens >= leaveAfter;
    }

    void left() {
        if (end()) {
            tally.cancelled();
        }
    }

    /// The answer ended as HTTP ends.
    void complete(long nowNanos) {
        if (!end()) {
            return;
        }
        if (status == 429 || status == 503) {
            tally.shed();
        } else if (status != 200) {
            tally.failed("status_" + status, example(line.toString()));
        } else if (streamError != null) {
            tally.failed("error_event", example(streamError));
        } else if (!done) {
            tally.failed("cut", "the stream ended without [DONE] after " + tokens + " tokens");
        } else {
            tally.ok(nowNanos - intendedNanos);
        }
    }

    /// The connection went away before the answer was complete.
    void broken(String how) {
        if (!end()) {
            return;
        }
        if (status == 200) {
            tally.failed("cut", how + " after " + tokens + " tokens");
        } else {
            tally.failed("no_answer", how);
        }
    }

    void failed(String kind, String example) {
        if (end()) {
            tally.failed(kind, example(example));
        }
    }

    private boolean end() {
        if (ended) {
            return false;
        }
        ended = true;
        if (timeout != null) {
            timeout.cancel(false);
        }
        return true;
    }

    private void line(String text, long nowNanos) {
        if (status != 200 || !text.startsWith("data:")) {
            return;
        }
        if (text.startsWith("[DONE]", 6) || text.startsWith("[DONE]", 5)) {
            done = true;
        } else if (text.contains("\"error\"") && !text.contains("\"choices\"")) {
            streamError = text;
        } else if (CONTENT.matcher(text).find()) {
            token(nowNanos);
        }
        if (text.contains("\"usage\"")) {
            usage(text);
        }
    }

    private void token(long nowNanos) {
        tokens++;
        if (tokens == 1) {
            tally.firstToken(nowNanos - intendedNanos);
        } else {
            tally.gap(nowNanos - lastTokenNanos);
        }
        lastTokenNanos = nowNanos;
    }

    private void usage(String text) {
        long prompt = 0;
        long cached = 0;
        long output = 0;
        Matcher m = NUMBER.matcher(text);
        while (m.find()) {
            long value = Long.parseLong(m.group(2));
            switch (m.group(1)) {
                case "prompt_tokens" -> prompt = value;
                case "cached_tokens" -> cached = value;
                default -> output = value;
            }
        }
        tally.usage(prompt, cached, output);
    }

    private static String example(String text) {
        String utf8 =
                new String(text.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        return utf8.length() > EXAMPLE_CHARS ? utf8.substring(0, EXAMPLE_CHARS) + "…" : utf8;
    }
}
