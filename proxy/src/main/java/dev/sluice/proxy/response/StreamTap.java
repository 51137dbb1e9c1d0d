package dev.sluice.proxy.response;

import dev.sluice.proxy.request.Api;

import io.netty.buffer.ByteBuf;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Watches the content of one response go by: when the first content came, how many events there
/// were, whether the stream finished, and the usage that the engine reported.
///
/// It holds no event. Events are counted by their blank lines; until the first one with content,
/// the beginning of the stream is looked at as text; and the last {@value Tails#LENGTH} bytes are
/// kept in one small array, because that is where an engine writes `usage` and `[DONE]`. A usage
/// object further from the end than that is not seen, and tokens are then estimated from the
/// events.
///
/// One response; event loop only. {@link #close} ends it.
public final class StreamTap {
    private static final int TAIL = Tails.LENGTH;
    private static final int OPENING = 8 * 1024;
    private static final long MAX = Integer.MAX_VALUE;
    private static final byte[] NONE = new byte[0];
    private static final byte[] BLANK = word("\r\n\r\n");
    private static final byte[] DATA = word("data:");
    private static final byte[] DONE = word("[DONE]");
    private static final byte[] MESSAGE_STOP = word("\"message_stop\"");
    private static final byte[] RESPONSE_COMPLETED = word("\"response.completed\"");
    private static final byte[] RESPONSE_FAILED = word("\"response.failed\"");
    private static final byte[] RESPONSE_INCOMPLETE = word("\"response.incomplete\"");
    private static final byte[] ERROR = word("\"error\"");
    private static final byte[] USAGE = word("\"usage\"");
    private static final byte[] PROMPT_TOKENS = word("\"prompt_tokens\"");
    private static final byte[] INPUT_TOKENS = word("\"input_tokens\"");
    private static final byte[] COMPLETION_TOKENS = word("\"completion_tokens\"");
    private static final byte[] OUTPUT_TOKENS = word("\"output_tokens\"");

    private final Api api;
    private final boolean events;
    private final Tails tails;
    private byte[] tail;
    private int tailLength;
    private int eventCount;
    private boolean lineEmpty = true;
    private long firstContentNanos;
    private long lastContentNanos;
    private boolean contentSeen;
    private @Nullable StringBuilder opening;
    private int promptTokens = -1;
    private int outputTokens = -1;

    /// @param events whether the response is an event stream
    public StreamTap(Api api, boolean events, Tails tails) {
        this.api = api;
        this.events = events;
        this.tails = tails;
        this.tail = tails.take();
    }

    /// Gives its array back; what it has found stays readable.
    public void close() {
        if (tail.length > 0) {
            tails.give(tail);
            tail = NONE;
            tailLength = 0;
        }
    }

    /// Content at `[start, end)`.
    public void content(ByteBuf in, int start, int end, long nowNanos) {
        keepTail(in, start, end);
        if (!events) {
            if (!contentSeen) {
                firstContent(nowNanos);
            }
            lastContentNanos = nowNanos;
            return;
        }
        int before = eventCount;
        countEvents(in, start, end);
        if (!contentSeen) {
            open(in, start, end, nowNanos);
        }
        if (eventCount != before) {
            lastContentNanos = nowNanos;
        }
    }

    private void keepTail(ByteBuf in, int start, int end) {
        int n = end - start;
        if (n >= TAIL) {
            in.getBytes(end - TAIL, tail, 0, TAIL);
            tailLength = TAIL;
            return;
        }
        int keep = Math.min(tailLength, TAIL - n);
        if (keep < tailLength) {
            System.arraycopy(tail, tailLength - keep, tail, 0, keep);
        }
        in.getBytes(start, tail, keep, n);
        tailLength = keep + n;
    }

    /// An event ends with an empty line, whether lines end with LF or CRLF.
    private void countEvents(ByteBuf in, int start, int end) {
        int i = start;
        while (i < end) {
            if (lineEmpty) {
                byte c = in.getByte(i);
                if (c == '\n') {
                    eventCount++;
                    lineEmpty = false;
                    i++;
                    continue;
                }
                if (c == '\r') {
                    i++;
                    continue;
                }
                lineEmpty = false;
            }
            int newline = in.indexOf(i, end, (byte) '\n');
            if (newline < 0) {
                return;
            }
            lineEmpty = true;
            i = newline + 1;
        }
    }

    /// Looks for the first event with content.
    private void open(ByteBuf in, int start, int end, long nowNanos) {
        StringBuilder seen = opening == null ? new StringBuilder(512) : opening;
        opening = seen;
        int room = Math.min(end - start, OPENING - seen.length());
        seen.append(in.toString(start, room, StandardCharsets.ISO_8859_1));
        while (true) {
            int lf = seen.indexOf("\n\n");
            int crlf = seen.indexOf("\r\n\r\n");
            int cut = lf < 0 ? crlf : crlf < 0 ? lf : Math.min(lf, crlf);
            if (cut < 0) {
                break;
            }
            String event = seen.substring(0, cut);
            seen.delete(0, cut + (cut == crlf ? 4 : 2));
            if (FirstContent.in(event, api)) {
                firstContent(nowNanos);
                return;
            }
        }
        if (seen.length() >= OPENING) {
            firstContent(nowNanos);
        }
    }

    private void firstContent(long nowNanos) {
        contentSeen = true;
        firstContentNanos = nowNanos;
        opening = null;
    }

    public boolean contentSeen() {
        return contentSeen;
    }

    /// When the first content came, by the proxy's nanosecond clock; only once {@link
    /// #contentSeen}.
    public long firstContentNanos() {
        return firstContentNanos;
    }

    /// From the first content to the last event.
    public long spanNanos() {
        return contentSeen ? Math.max(0, lastContentNanos - firstContentNanos) : 0;
    }

    /// Whether the stream stands between two events, so that another may be written behind it.
    public boolean betweenEvents() {
        return tailLength == 0
                || (tailLength > 1 && tail[tailLength - 1] == '\n' && tail[tailLength - 2] == '\n')
                || (tailLength > 3 && at(tailLength - BLANK.length, BLANK));
    }

    /// Whether an event stream said that it is complete. Other responses are complete by framing,
    /// and so are the streams of interfaces that have no such word.
    ///
    /// A model can write those words too, but neither a line of its own nor a bare quote: both are
    /// escaped in JSON.
    public boolean finished() {
        if (!events) {
            return true;
        }
        return switch (api) {
            case CHAT, COMPLETIONS -> saysDone();
            case MESSAGES -> lastIndexOf(MESSAGE_STOP) >= 0 || lastIndexOf(ERROR) >= 0;
            case RESPONSES ->
                    lastIndexOf(RESPONSE_COMPLETED) >= 0
                            || lastIndexOf(RESPONSE_FAILED) >= 0
                            || lastIndexOf(RESPONSE_INCOMPLETE) >= 0
                            || lastIndexOf(ERROR) >= 0
                            || saysDone();
            case EMBEDDINGS, RERANK, SCORE, TOKENIZE, AUDIO, IMAGES, OTHER -> true;
        };
    }

    private boolean saysDone() {
        int done = lastIndexOf(DONE);
        if (done < 0) {
            return false;
        }
        int line = done - (tail[Math.max(0, done - 1)] == ' ' ? 1 : 0) - DATA.length;
        return line >= 0 && at(line, DATA) && (line == 0 || tail[line - 1] == '\n');
    }

    /// Reads the usage, once, at the end of the response.
    public void readUsage() {
        int usage = lastIndexOf(USAGE);
        if (usage < 0) {
            return;
        }
        promptTokens = number(usage, PROMPT_TOKENS, INPUT_TOKENS);
        outputTokens = number(usage, COMPLETION_TOKENS, OUTPUT_TOKENS);
    }

    private int number(int from, byte[] name, byte[] otherName) {
        int i = end(from, name);
        if (i < 0) {
            i = end(from, otherName);
        }
        if (i < 0) {
            return -1;
        }
        while (i < tailLength && (tail[i] == ':' || tail[i] == ' ')) {
            i++;
        }
        long value = -1;
        for (; i < tailLength && tail[i] >= '0' && tail[i] <= '9' && value < MAX; i++) {
            value = Math.max(value, 0) * 10 + tail[i] - '0';
        }
        return (int) Math.min(value, MAX);
    }

    /// As the engine reported; -1 when it did not.
    public int promptTokens() {
        return promptTokens;
    }

    /// As the engine reported; -1 when it did not.
    public int outputTokens() {
        return outputTokens;
    }

    /// Events so far, the empty and the last ones included.
    public int eventCount() {
        return eventCount;
    }

    /// Where in the tail the word last begins; -1 if nowhere.
    private int lastIndexOf(byte[] word) {
        for (int i = tailLength - word.length; i >= 0; i--) {
            if (tail[i] == word[0] && at(i, word)) {
                return i;
            }
        }
        return -1;
    }

    /// Just after the first such word from `from` on; -1 without one.
    private int end(int from, byte[] word) {
        for (int i = from; i <= tailLength - word.length; i++) {
            if (tail[i] == word[0] && at(i, word)) {
                return i + word.length;
            }
        }
        return -1;
    }

    private boolean at(int i, byte[] word) {
        return Arrays.equals(tail, i, i + word.length, word, 0, word.length);
    }

    private static byte[] word(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
