package dev.sluice.proxy.request;

import io.netty.buffer.ByteBuf;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Reads a JSON object as it arrives, slice by slice, checks it, and remembers the few top-level
/// fields that place a call. Holds no bytes but the text of those fields.
///
/// A byte automaton over RFC 8259. The insides of strings, nearly all of a prompt, are skipped
/// eight bytes at a time (find a quote, backslash or control character within a word: Hacker's
/// Delight, section 6-1). Keys are compared after their escapes are decoded, and a second `model`
/// is an error, because the engine's parser might believe the other one. It does not check that
/// strings are UTF-8: the engine does.
///
/// One body; one thread.
public final class JsonScan {
    static final int MAX_DEPTH = 64;
    private static final int MAX_TEXT = 512;

    private static final long ONES = 0x0101010101010101L;
    private static final long HIGHS = 0x8080808080808080L;

    private enum State {
        VALUE,
        VALUE_OR_END,
        KEY_OR_END,
        KEY,
        COLON,
        COMMA_OR_END,
        STRING,
        ESCAPE,
        UNICODE,
        LITERAL,
        NUMBER,
        END
    }

    /// The parts of a number, as far as what may follow differs.
    private enum Digits {
        MINUS,
        ZERO,
        WHOLE,
        POINT,
        FRACTION,
        E,
        E_SIGN,
        EXPONENT;

        boolean mayEnd() {
            return this == ZERO || this == WHOLE || this == FRACTION || this == EXPONENT;
        }
    }

    private enum Key {
        OTHER(""),
        MODEL("model"),
        STREAM("stream"),
        MAX_TOKENS("max_tokens"),
        MAX_COMPLETION_TOKENS("max_completion_tokens"),
        MAX_OUTPUT_TOKENS("max_output_tokens"),
        PROMPT_CACHE_KEY("prompt_cache_key"),
        USER("user");

        private static final Key[] ALL = values();
        private final String text;

        Key(String text) {
            this.text = text;
        }

        static Key of(String text) {
            for (Key key : ALL) {
                if (key.text.equals(text)) {
                    return key;
                }
            }
            return OTHER;
        }
    }

    private State state = State.VALUE;
    private Digits digits = Digits.ZERO;
    private long position;
    private int depth;
    private long objects;
    private String literal = "";
    private int literalAt;
    private int unicode;
    private int unicodeDigits;
    private boolean inKey;
    private Key key = Key.OTHER;

    private boolean capturing;
    private byte[] text = new byte[64];
    private int textLength;

    private @Nullable String model;
    private long modelStart = -1;
    private long modelEnd = -1;
    private boolean stream;
    private int maxTokens;
    private @Nullable String promptCacheKey;
    private @Nullable String user;
    private @Nullable Refusal problem;

    /// Reads all of the slice without moving its indices.
    ///
    /// @return what is wrong, now and at every later call; null while nothing is
    public @Nullable Refusal read(ByteBuf in) {
        int i = in.readerIndex();
        int end = in.writerIndex();
        while (i < end && problem == null) {
            if (state == State.STRING && !capturing) {
                int from = i;
                i = skip(in, i, end);
                position += i - from;
                if (i == end) {
                    break;
                }
            }
            step(in.getByte(i++));
            position++;
        }
        return problem;
    }

    /// To be asked once all of the body was read.
    public @Nullable Refusal finish() {
        if (problem == null && state != State.END) {
            malformed("ends before it is complete");
        }
        return problem;
    }

    private static int skip(ByteBuf in, int from, int end) {
        int i = from;
        for (; i + 8 <= end; i += 8) {
            long word = in.getLongLE(i);
            long quote = word ^ (ONES * '"');
            long backslash = word ^ (ONES * '\\');
            long special =
                    ((quote - ONES) & ~quote)
                            | ((backslash - ONES) & ~backslash)
                            | ((word - ONES * 0x20) & ~word);
            if ((special & HIGHS) != 0) {
                break;
            }
        }
        for (; i < end; i++) {
            byte c = in.getByte(i);
            if (c == '"' || c == '\\' || (c >= 0 && c < 0x20)) {
                return i;
            }
        }
        return end;
    }

    private void step(byte c) {
        switch (state) {
            case STRING -> inString(c);
            case ESCAPE -> escape(c);
            case UNICODE -> unicode(c);
            case NUMBER -> number(c);
            case LITERAL -> literal(c);
            case VALUE, VALUE_OR_END, KEY_OR_END, KEY, COLON, COMMA_OR_END, END -> {
                if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
                    between(c);
                }
            }
        }
    }

    private void between(byte c) {
        switch (state) {
            case VALUE -> value(c);
            case VALUE_OR_END -> {
                if (c == ']') {
                    close(false);
                } else {
                    value(c);
                }
            }
            case KEY_OR_END -> {
                if (c == '}') {
                    close(true);
                } else {
                    key(c);
                }
            }
            case KEY -> key(c);
            case COLON -> {
                if (c != ':') {
                    malformed("expected : after a key");
                    return;
                }
                state = State.VALUE;
            }
            case COMMA_OR_END -> {
                boolean object = inObject();
                if (c == ',') {
                    state = object ? State.KEY : State.VALUE;
                } else if (c == (object ? '}' : ']')) {
                    close(object);
                } else {
                    malformed("expected , or the end of the " + (object ? "object" : "array"));
                }
            }
            case END -> malformed("has more text after its end");
            case STRING, ESCAPE, UNICODE, LITERAL, NUMBER -> throw new IllegalStateException();
        }
    }

    private void key(byte c) {
        if (c != '"') {
            malformed("expected a key in double quotes");
            return;
        }
        inKey = true;
        capture(depth == 1);
        state = State.STRING;
    }

    private void value(byte c) {
        if (depth == 0 && c != '{') {
            malformed("is not an object");
            return;
        }
        Key field = depth == 1 ? key : Key.OTHER;
        if (field == Key.MODEL && c != '"') {
            problem = Refusal.invalid(400, "invalid_model", "model must be a string.", "model");
            return;
        }
        capture(false);
        switch (c) {
            case '{' -> open(true);
            case '[' -> open(false);
            case '"' -> {
                inKey = false;
                capture(field == Key.MODEL || field == Key.PROMPT_CACHE_KEY || field == Key.USER);
                if (field == Key.MODEL) {
                    modelStart = position;
                }
                state = State.STRING;
            }
            case 't' -> literal("true");
            case 'f' -> literal("false");
            case 'n' -> literal("null");
            case '-' -> number(Digits.MINUS, field, c);
            case '0' -> number(Digits.ZERO, field, c);
            case '1', '2', '3', '4', '5', '6', '7', '8', '9' -> number(Digits.WHOLE, field, c);
            default -> malformed("expected a value");
        }
    }

    private void open(boolean object) {
        if (depth == MAX_DEPTH) {
            problem =
                    Refusal.invalid(
                            400,
                            "json_too_deep",
                            "The body is nested deeper than " + MAX_DEPTH + " levels.",
                            null);
            return;
        }
        long bit = 1L << depth;
        objects = object ? objects | bit : objects & ~bit;
        depth++;
        state = object ? State.KEY_OR_END : State.VALUE_OR_END;
    }

    private void close(boolean object) {
        if (inObject() != object) {
            malformed("closes a bracket that is not open");
            return;
        }
        depth--;
        ended();
    }

    private boolean inObject() {
        return depth > 0 && (objects >>> (depth - 1) & 1) == 1;
    }

    private void ended() {
        state = depth == 0 ? State.END : State.COMMA_OR_END;
    }

    private void literal(String word) {
        literal = word;
        literalAt = 1;
        state = State.LITERAL;
    }

    private void literal(byte c) {
        if (c != literal.charAt(literalAt)) {
            malformed("expected " + literal);
            return;
        }
        if (++literalAt == literal.length()) {
            if (depth == 1 && key == Key.STREAM) {
                stream = literal.equals("true");
            }
            ended();
        }
    }

    private void number(Digits first, Key field, byte c) {
        digits = first;
        capture(
                field == Key.MAX_TOKENS
                        || field == Key.MAX_COMPLETION_TOKENS
                        || field == Key.MAX_OUTPUT_TOKENS);
        append(c);
        state = State.NUMBER;
    }

    private void number(byte c) {
        boolean digit = c >= '0' && c <= '9';
        Digits next =
                switch (digits) {
                    case MINUS -> c == '0' ? Digits.ZERO : digit ? Digits.WHOLE : null;
                    case ZERO -> c == '.' ? Digits.POINT : (c | 0x20) == 'e' ? Digits.E : null;
                    case WHOLE ->
                            digit
                                    ? Digits.WHOLE
                                    : c == '.' ? Digits.POINT : (c | 0x20) == 'e' ? Digits.E : null;
                    case POINT -> digit ? Digits.FRACTION : null;
                    case FRACTION -> digit ? Digits.FRACTION : (c | 0x20) == 'e' ? Digits.E : null;
                    case E -> digit ? Digits.EXPONENT : c == '+' || c == '-' ? Digits.E_SIGN : null;
                    case E_SIGN, EXPONENT -> digit ? Digits.EXPONENT : null;
                };
        if (next != null) {
            digits = next;
            append(c);
            return;
        }
        boolean delimiter =
                c == ',' || c == ']' || c == '}' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
        if (!digits.mayEnd() || !delimiter) {
            malformed("has a malformed number");
            return;
        }
        if (capturing && digits == Digits.WHOLE && textLength <= 9) {
            maxTokens = Math.max(0, Integer.parseInt(captured()));
        }
        ended();
        step(c);
    }

    private void inString(byte c) {
        if (c == '"') {
            stringEnded();
        } else if (c == '\\') {
            state = State.ESCAPE;
        } else if (c >= 0 && c < 0x20) {
            malformed("has a control character in a string");
        } else {
            append(c);
        }
    }

    private void escape(byte c) {
        state = State.STRING;
        switch (c) {
            case '"', '\\', '/' -> append(c);
            case 'b' -> append((byte) '\b');
            case 'f' -> append((byte) '\f');
            case 'n' -> append((byte) '\n');
            case 'r' -> append((byte) '\r');
            case 't' -> append((byte) '\t');
            case 'u' -> {
                unicode = 0;
                unicodeDigits = 0;
                state = State.UNICODE;
            }
            default -> malformed("has an unknown escape in a string");
        }
    }

    private void unicode(byte c) {
        int value = Character.digit(c, 16);
        if (value < 0) {
            malformed("has a malformed \\u escape");
            return;
        }
        unicode = unicode << 4 | value;
        if (++unicodeDigits == 4) {
            state = State.STRING;
            // Half of a surrogate pair cannot be part of a name that Sluice knows; ? keeps it
            // apart.
            byte[] utf8 = Character.toString(unicode).getBytes(StandardCharsets.UTF_8);
            for (byte b : utf8) {
                append(b);
            }
        }
    }

    private void stringEnded() {
        if (inKey) {
            key = depth == 1 ? Key.of(captured()) : key;
            capture(false);
            if (depth == 1 && key == Key.MODEL && model != null) {
                problem =
                        Refusal.invalid(
                                400, "duplicate_model", "The body names model twice.", "model");
                return;
            }
            state = State.COLON;
            return;
        }
        if (depth == 1 && capturing) {
            switch (key) {
                case MODEL -> {
                    model = captured();
                    modelEnd = position + 1;
                }
                case PROMPT_CACHE_KEY -> promptCacheKey = captured();
                case USER -> user = captured();
                case OTHER, STREAM, MAX_TOKENS, MAX_COMPLETION_TOKENS, MAX_OUTPUT_TOKENS -> {}
            }
        }
        capture(false);
        ended();
    }

    private void capture(boolean on) {
        capturing = on;
        textLength = 0;
    }

    private void append(byte c) {
        if (!capturing) {
            return;
        }
        if (textLength == text.length) {
            if (textLength == MAX_TEXT) {
                tooLong();
                return;
            }
            text = Arrays.copyOf(text, Math.min(MAX_TEXT, 2 * textLength));
        }
        text[textLength++] = c;
    }

    /// A long key is one that Sluice does not know; a long user or cache key is cut; a long model
    /// is none.
    private void tooLong() {
        if (!inKey && key == Key.MODEL) {
            problem =
                    Refusal.invalid(
                            400,
                            "invalid_model",
                            "model is longer than " + MAX_TEXT + " bytes.",
                            "model");
        }
    }

    private String captured() {
        return new String(text, 0, textLength, StandardCharsets.UTF_8);
    }

    private void malformed(String what) {
        problem =
                Refusal.invalid(
                        400,
                        "invalid_json",
                        "The body is not valid JSON: it " + what + " (byte " + position + ").",
                        null);
    }

    /// The model's name, or null while none was read.
    public @Nullable String model() {
        return model;
    }

    /// Where the model's value stands in the body, quotes included; -1 without one.
    public long modelStart() {
        return modelStart;
    }

    public long modelEnd() {
        return modelEnd;
    }

    public boolean stream() {
        return stream;
    }

    /// The bound on output tokens, or 0.
    public int maxTokens() {
        return maxTokens;
    }

    /// What calls of one conversation share, if the client says so.
    public @Nullable String affinity() {
        return promptCacheKey != null ? promptCacheKey : user;
    }
}
