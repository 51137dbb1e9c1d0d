package dev.sluice.proxy.response;

import dev.sluice.proxy.request.Api;

import io.netty.buffer.ByteBuf;

import java.nio.charset.StandardCharsets;

/// Watches the content of one response go by: when the first content came, how many events there
/// were, whether the stream finished, and the usage that the engine reported.
///
/// It holds no event. Events are counted by their blank lines; until the first one with content,
/// the beginning of the stream is looked at as text; and the last {@value #TAIL} bytes are kept in
/// one small array, because that is where an engine writes `usage` and `[DONE]`. A usage object
/// further from the end than that is not seen, and tokens are then estimated from the events.
///
/// One response; event loop only.
public final class StreamTap {
    private static final int TAIL = 1024;
    private static final int OPENING = 8 * 1024;

    private final Api api;
    private final boolean events;
    private final byte[] tail = new byte[TAIL];
    private int tailLength;
    private int eventCount;
    private boolean lineEmpty = true;
    private long firstContentNanos;
    private long lastContentNanos;
    private boolean contentSeen;
    private final StringBuilder opening = new StringBuilder();
    private int promptTokens = -1;
    private int outputTokens = -1;

    /// @param events whether the response is an event stream
    public StreamTap(Api api, boolean events) {
        this.api = api;
        this.events = events;
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
        int room = Math.min(end - start, OPENING - opening.length());
        opening.append(in.toString(start, room, StandardCharsets.ISO_8859_1));
        while (true) {
            int lf = opening.indexOf("\n\n");
            int crlf = opening.indexOf("\r\n\r\n");
            int cut = lf < 0 ? crlf : crlf < 0 ? lf : Math.min(lf, crlf);
            if (cut < 0) {
                break;
            }
            String event = opening.substring(0, cut);
            opening.delete(0, cut + (cut == crlf ? 4 : 2));
            if (FirstContent.in(event, api)) {
                firstContent(nowNanos);
                return;
            }
        }
        if (opening.length() >= OPENING) {
            firstContent(nowNanos);
        }
    }

    private void firstContent(long nowNanos) {
        contentSeen = true;
        firstContentNanos = nowNanos;
        opening.setLength(0);
        opening.trimToSize();
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
                || endsWith("\r\n\r\n");
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
            case MESSAGES -> contains("\"message_stop\"", "\"error\"");
            case RESPONSES ->
                    contains(
                                    "\"response.completed\"",
                                    "\"response.failed\"",
                                    "\"response.incomplete\"",
                                    "\"error\"")
                            || saysDone();
            case EMBEDDINGS, RERANK, SCORE, TOKENIZE, AUDIO, IMAGES, OTHER -> true;
        };
    }

    private boolean saysDone() {
        String text = tailText();
        return text.startsWith("data: [DONE]")
                || text.startsWith("data:[DONE]")
                || text.contains("\ndata: [DONE]")
                || text.contains("\ndata:[DONE]");
    }

    private boolean contains(String... words) {
        String text = tailText();
        for (String word : words) {
            if (text.contains(word)) {
                return true;
            }
        }
        return false;
    }

    /// Reads the usage, once, at the end of the response.
    public void readUsage() {
        String text = tailText();
        int usage = text.lastIndexOf("\"usage\"");
        if (usage < 0) {
            return;
        }
        promptTokens = number(text, usage, "\"prompt_tokens\"", "\"input_tokens\"");
        outputTokens = number(text, usage, "\"completion_tokens\"", "\"output_tokens\"");
    }

    private static int number(String text, int from, String name, String otherName) {
        int at = text.indexOf(name, from);
        int length = name.length();
        if (at < 0) {
            at = text.indexOf(otherName, from);
            length = otherName.length();
        }
        if (at < 0) {
            return -1;
        }
        int i = at + length;
        while (i < text.length() && (text.charAt(i) == ':' || text.charAt(i) == ' ')) {
            i++;
        }
        long value = -1;
        for (;
                i < text.length() && Character.isDigit(text.charAt(i)) && value < Integer.MAX_VALUE;
                i++) {
            value = Math.max(value, 0) * 10 + text.charAt(i) - '0';
        }
        return (int) Math.min(value, Integer.MAX_VALUE);
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

    private boolean endsWith(String text) {
        if (tailLength < text.length()) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (tail[tailLength - text.length() + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private String tailText() {
        return new String(tail, 0, tailLength, StandardCharsets.ISO_8859_1);
    }
}
